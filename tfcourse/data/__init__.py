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
from tfcourse.data.table.options import TableOptions
from tfcourse.data.table.reader import read_table

__all__ = [
    "BUNDLED",
    "Dataset",
    "Split",
    "TableOptions",
    "describe",
    "load",
    "mini_batch_dataset",
    "mini_batches",
    "read",
    "read_table",
    "recommended_batch_size",
    "split",
    "split_sizes",
]
