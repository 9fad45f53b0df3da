"""The examples of a file as features, a chunk at a time."""

import dataclasses
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np

from tfcourse.data.npz_files import read_array
from tfcourse.data.table_formats import open_table
from tfcourse.errors import InputError
from tfcourse.utils.text import listed


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Some examples, in the order of the file.

    Attributes:
        features: Shape `(m, ...)`, float32.
        others: What stands in the columns that are no features, by name.
    """

    features: np.ndarray
    others: dict[str, list]


class TableReader:
    """The examples of a table, whose columns are matched by name.

    Args:
        path: A `.csv` or `.parquet` table with a header.
        names: The columns that are features, in their order, or `None` for
            all but `apart`.
        apart: Columns that are no features.
        ranges: The lowest and the highest value that a column may have, by
            its name.
        on_bad: Called with a sentence on each row that cannot be used, which
            is then left out; by default the first such is an error.
        size: How many rows to read at once.

    Attributes:
        names: The columns that are features.
        others: The others.

    Raises:
        InputError: If the table cannot be read, lacks a column or has one
            twice. While iterating, if a row cannot be used: a field that is
            missing, no number, infinite or out of range, too few or too many
            fields; and if there is no row.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        names: Sequence[str] | None,
        *,
        apart: Collection[str] = (),
        ranges: Mapping[str, tuple[float, float]] | None = None,
        on_bad: Callable[[str], object] | None = None,
        size: int = 4096,
    ) -> None:
        self._path, self._size = path, size
        self._on_bad = on_bad or self._refuse
        self._table = open_table(path)
        columns = self._table.columns
        self.names = (
            [name for name in columns if name not in apart]
            if names is None
            else list(names)
        )
        self._check_columns([*self.names, *apart])
        self.others = [name for name in columns if name not in self.names]
        # Beyond float32 a value would become infinite.
        most = float(np.finfo("float32").max)
        bounds = [(ranges or {}).get(n, (-most, most)) for n in self.names]
        self._low, self._high = np.array(bounds, "float64").T

    def __iter__(self) -> Iterator[Chunk]:
        """Yields a `Chunk` after the other."""
        empty, none_good = True, True
        for places, cells in self._table.chunks(self._size, self._on_bad):
            empty = False
            cells = dict(zip(self._table.columns, cells, strict=True))
            features, good = self._numbers(places, cells)
            if good.any():
                none_good = False
                others = {
                    name: _kept(cells[name], good) for name in self.others
                }
                yield Chunk(features[good].astype("float32"), others)
        if empty:
            raise InputError(f"{self._path} has no rows below its header.")
        if none_good:
            raise InputError(f"{self._path} has no row that can be used.")

    def _refuse(self, sentence):
        raise InputError(
            f"{self._path}: {sentence}. Mend it, or leave such rows out with "
            "--skip-bad."
        )

    def _check_columns(self, wanted):
        columns = self._table.columns
        twice = sorted({c for c in columns if columns.count(c) > 1})
        if twice:
            raise InputError(
                f"{self._path} has {listed(twice, 'column')} more than once. "
                "Give each column a name of its own."
            )
        missing = [name for name in wanted if name not in columns]
        if missing:
            raise InputError(
                f"{self._path} lacks {listed(missing, 'column')} of the "
                f"model. It has: {listed(columns)}."
            )

    def _numbers(self, places, cells):
        """Returns the features of some rows, and which rows are good."""
        columns = [cells[name] for name in self.names]
        try:
            features = np.array(columns, "float64").T
        except (ValueError, TypeError):
            features = np.array(
                [[_number(cell) for cell in column] for column in columns]
            ).T
        # So written that NaN is out of range.
        fits = (features >= self._low) & (features <= self._high)
        for row, column in _first_of_each_row(~fits):
            name = self.names[column]
            low, high = self._low[column], self._high[column]
            self._on_bad(
                f"{places[row]} has {cells[name][row]!r} in column {name!r}, "
                + (
                    f"which must lie from {low:g} to {high:g}"
                    if np.isfinite(features[row, column])
                    else "which must be a number"
                )
            )
        return features, fits.all(axis=1)


class ArrayReader:
    """The examples of an `.npz` file, its array `x`.

    Args:
        path: The file.
        size: How many examples to give at once.

    Raises:
        InputError: If it cannot be read, or holds something else than numbers.
    """

    names = others = ()

    def __init__(self, path: str | os.PathLike, size: int = 4096) -> None:
        self._x, self._size = read_array(path), size

    def __iter__(self) -> Iterator[Chunk]:
        """Yields a `Chunk` after the other."""
        for start in range(0, len(self._x), self._size):
            yield Chunk(self._x[start : start + self._size], {})


def _number(cell):
    try:
        return float(cell)
    except (ValueError, TypeError):
        return np.nan


def _first_of_each_row(mask):
    rows = np.flatnonzero(mask.any(axis=1))
    return zip(rows.tolist(), mask[rows].argmax(axis=1).tolist(), strict=True)


def _kept(cells, good):
    return [cell for cell, keep in zip(cells, good, strict=True) if keep]
