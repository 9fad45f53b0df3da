"""Exponentially weighted averages of numbers, series, metrics and weights."""

import tfcourse.components  # noqa: F401 (registers the other classes)
from tfcourse.averages.exponential import (
    ExponentiallyWeightedAverage,
    exponentially_weighted_average,
)
from tfcourse.averages.metric import MetricAverage
from tfcourse.averages.weights import WeightAverage

__all__ = [
    "ExponentiallyWeightedAverage",
    "MetricAverage",
    "WeightAverage",
    "exponentially_weighted_average",
]
