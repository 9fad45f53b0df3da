"""Exponentially weighted averages of numbers, series, metrics and weights."""

from tfcourse.averages.exponential import (
    ExponentiallyWeightedAverage,
    exponentially_weighted_average,
)
from tfcourse.averages.metric import MetricAverage
from tfcourse.averages.weights import WeightAverage
from tfcourse.saving import register

__all__ = [
    "ExponentiallyWeightedAverage",
    "MetricAverage",
    "WeightAverage",
    "exponentially_weighted_average",
]

register()
