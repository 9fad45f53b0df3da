"""A labelled table in memory, its columns of any kind."""

import dataclasses
import hashlib

import numpy as np

from tfcourse.data.dataset import Dataset
from tfcourse.data.table.columns import Column
from tfcourse.data.table.files.rows import Places
from tfcourse.data.table.partition import Partition
from tfcourse.data.table.target import Target
from tfcourse.errors import InputError

_PLAIN = ("number", "boolean")


@dataclasses.dataclass(frozen=True)
class TableDataset:
    """The rows of a table with what is to be predicted.

    Attributes:
        name: What to call it.
        x: The values of each column, shape `(m,)`, by name: numbers, booleans
            and dates (seconds since 1970) as float64, `NaN` where missing;
            categories and text as `object`, `""` where missing.
        columns: What each column is.
        target: The `Target`.
        source: Where it comes from, in a sentence.
        notes: What was assumed or left out, each in a sentence.
        places: Where each row stands in the file.
        partition: What a column says of the parts, if one does.
    """

    name: str
    x: dict[str, np.ndarray]
    columns: tuple[Column, ...]
    target: Target
    source: str = ""
    notes: tuple[str, ...] = ()
    places: Places | None = None
    partition: Partition | None = None

    @property
    def y(self) -> np.ndarray:
        """Positions of the classes in `labels`, or numbers."""
        return self.target.y

    @property
    def labels(self) -> tuple:
        """The classes in sorted order; none for regression."""
        return self.target.labels

    @property
    def task(self) -> str:
        """`"classification"` or `"regression"`."""
        return self.target.task

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.x)

    def as_dataset(self, path: object) -> Dataset:
        """Returns the table as a `Dataset`, if it is all numbers.

        Args:
            path: Of the file, for errors.

        Raises:
            InputError: If it has other columns, missing values, or numbers to
                predict.
        """
        for column in self.columns:
            self._check_plain(column, path)
        if self.task != "classification":
            raise InputError(
                f"The target {self.target.name!r} of {path} is an amount, not "
                "a class. `read_table` reads it as it is."
            )
        return Dataset(
            self.name,
            np.stack(list(self.x.values()), axis=1).astype("float32"),
            self.y,
            self.labels,
            self.feature_names,
            self.source,
        )

    def _check_plain(self, column, path):
        name, values = column.name, self.x[column.name]
        if column.kind not in _PLAIN:
            raise InputError(
                f"Column {name!r} of {path} must be numbers. Its first value "
                f"is {values[0]!r}, in {self.places[0]}. `read_table` takes "
                "columns of any kind."
            )
        gaps = np.isnan(values)
        if gaps.any():
            raise InputError(
                f"Column {name!r} of {path} has {int(gaps.sum())} missing "
                f"values, the first in {self.places[int(gaps.argmax())]}. Fill "
                "them in or leave the rows out; `read_table` takes gaps."
            )

    def fingerprint(self) -> str:
        """Returns a hash that changes whenever a value or a target does."""
        digest = hashlib.sha256()
        for name, values in {**self.x, "": self.y}.items():
            digest.update(f"{name}{values.dtype}{values.shape}".encode())
            if values.dtype == object:
                digest.update("\0".join(values).encode())
            else:
                digest.update(np.ascontiguousarray(values).data)
        digest.update(repr((self.labels, self.columns)).encode())
        return digest.hexdigest()

    def __len__(self):
        return len(self.y)
