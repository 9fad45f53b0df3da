"""Layers that compute the course's formulas, and the exact pass over data."""

from tfcourse.layers import columns
from tfcourse.layers.batch_normalization import BatchNormalization
from tfcourse.layers.hardmax import Hardmax
from tfcourse.layers.inverted_dropout import InvertedDropout
from tfcourse.layers.population_statistics import (
    estimate_population_statistics,
)
from tfcourse.saving import register

__all__ = [
    "BatchNormalization",
    "Hardmax",
    "InvertedDropout",
    "columns",
    "estimate_population_statistics",
]

register()
