"""Data sets, splits and mini-batches as the course has them."""

from tfcourse.data.bundled import BUNDLED, describe, load
from tfcourse.data.dataset import Dataset
from tfcourse.data.files import read
from tfcourse.data.minibatches import (
    mini_batch_dataset,
    mini_batches,
    recommended_batch_size,
)
from tfcourse.data.splits import Split, split, split_sizes

__all__ = [
    "BUNDLED",
    "Dataset",
    "Split",
    "describe",
    "load",
    "mini_batch_dataset",
    "mini_batches",
    "read",
    "recommended_batch_size",
    "split",
    "split_sizes",
]
