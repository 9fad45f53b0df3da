"""The examples of a file as features, a chunk at a time."""

import collections
import dataclasses
import functools
import os
import types
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from tfcourse.data.npz_files import read_array
from tfcourse.data.table.bad_rows import refuse
from tfcourse.data.table.columns import Column
from tfcourse.data.table.files.formats import open_table
from tfcourse.data.table.files.rows import OnBad, Places
from tfcourse.data.table.values import read_values, trimmed
from tfcourse.errors import InputError
from tfcourse.utils.text import listed


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Some examples, in the order of the file.

    Attributes:
        features: Shape `(m, ...)`, float32; or the values of each column,
            shape `(m,)`, by name.
        others: What stands in the columns that are not features, by name.
        places: Where the rows of a table stand in its file.
    """

    features: np.ndarray | dict[str, np.ndarray]
    others: dict[str, list]
    places: Places | None = None


class TableReader:
    """The examples of a table, whose columns are matched by name.

    Args:
        path: A table with a header; see `tfcourse.data.table.files.formats`.
        columns: The columns that are features, in their order, as names of
            numbers that must all be there, or as what `Column` says; `None`
            for all but `apart`, as numbers.
        apart: Columns that are not features; of those given as `Column` the
            others of a chunk have the values, and every row needs one.
        ranges: The lowest and the highest value that a column may have, by
            its name.
        on_bad: Called with a sentence on each row that cannot be used, which
            is then left out; by default the first such is an error.
        size: How many rows to read at once.
        **text: `encoding`, `separator` and `decimal`, as for `open_table`.

    Attributes:
        names: The columns that are features.
        others: The others.
        assumed: What was assumed of the file, in a sentence, if anything.
        filled: How many values were missing, by column, in the rows so far.

    Raises:
        InputError: If the table cannot be read, lacks a column or has one
            twice. While iterating, if a row cannot be used: a field of
            another kind, infinite or out of range, too few or too many
            fields; and if there are no rows.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        columns: Sequence[str] | Sequence[Column] | None,
        *,
        apart: Collection[str | Column] = (),
        ranges: Mapping[str, tuple[float, float]] | None = None,
        on_bad: OnBad | None = None,
        size: int = 4096,
        **text: str | None,
    ) -> None:
        self._path, self._size = path, size
        self._on_bad = on_bad or functools.partial(refuse, path)
        self._table = open_table(path, **text)
        self.assumed = self._table.assumed()
        known = self._table.columns
        self._apart = [one for one in apart if isinstance(one, Column)]
        apart = [getattr(one, "name", one) for one in apart]
        if columns is None:
            columns = [name for name in known if name not in apart]
        # Numbers by their names are rows of an array, which has no gaps.
        self._array = all(isinstance(column, str) for column in columns)
        self._columns = [
            Column(column) if isinstance(column, str) else column
            for column in columns
        ]
        self.names = [column.name for column in self._columns]
        self._check_columns([*self.names, *apart])
        self.others = [name for name in known if name not in self.names]
        self._ranges = ranges or {}
        self.filled = collections.Counter()

    def __iter__(self) -> Iterator[Chunk]:
        """Yields the chunks in order."""
        self.filled.clear()
        empty, none_good = True, True
        for rows in self._table.chunks(self._size, self._on_bad):
            empty = False
            features, good = self._features(rows)
            if good.any():
                none_good = False
                self._count_missing(features, good)
                yield self._chunk(rows, features, good)
        if empty:
            raise InputError(f"{self._path} has no rows below its header.")
        if none_good:
            raise InputError(f"{self._path} has no row that can be used.")

    def _chunk(self, rows, features, good):
        others = {
            name: _kept(rows.cells[name].to_pylist(), good)
            for name in self.others
        }
        for column in self._apart:
            others[column.name] = features[column.name].values[good].tolist()
        places = Places(rows.places.word, rows.places.numbers[good])
        taken = {name: features[name].values[good] for name in self.names}
        if not self._array:
            return Chunk(taken, others, places)
        array = np.stack(list(taken.values()), axis=1)
        return Chunk(array.astype("float32"), others, places)

    def _check_columns(self, wanted):
        columns = self._table.columns
        missing = [name for name in wanted if name not in columns]
        if missing:
            raise InputError(
                f"{self._path} lacks {listed(missing, 'column')} of the "
                f"model. It has: {listed(columns)}."
            )

    def _features(self, rows):
        """Returns the values of some rows by column, and which are good."""
        decimal = self._table.format.decimal
        good = np.ones(len(rows.places), bool)
        features, wrong = {}, {}
        for column in [*self._columns, *self._apart]:
            cells = trimmed(rows.cells[column.name])
            values = read_values(cells, column, decimal)
            features[column.name] = values
            bad = values.bad | values.infinite | self._outside(column, values)
            if self._array or column in self._apart:
                bad = bad | values.missing
            wrong[column.name] = bad & good
            good &= ~bad
        self._tell(rows, wrong, features)
        return features, good

    def _outside(self, column, values):
        low, high = self._ranges.get(column.name, (-np.inf, np.inf))
        if not column.numeric:
            return False
        return (values.values < low) | (values.values > high)

    def _tell(self, rows, wrong, features):
        """Says of each row that cannot be used what is wrong in it."""
        first = [
            (row, column)
            for column in [*self._columns, *self._apart]
            for row in np.flatnonzero(wrong[column.name]).tolist()
        ]
        for row, column in sorted(first, key=lambda pair: pair[0]):
            cell = rows.cells[column.name][row].as_py()
            values, name = features[column.name], column.name
            complaint = values.complaint(column, row, cell)
            if name in self._ranges and np.isfinite(values.values[row]):
                low, high = self._ranges[name]
                complaint = (
                    f"has {cell!r} in column {name!r}, which must be from "
                    f"{low:g} to {high:g}"
                )
            self._on_bad(f"{rows.places[row]} {complaint}")

    def _count_missing(self, features, good):
        for name in self.names:
            if count := int((features[name].missing & good).sum()):
                self.filled[name] += count


class ArrayReader:
    """The examples of an `.npz` file, its array `x`.

    Args:
        path: The file.
        size: How many examples to give at once.

    Raises:
        InputError: If it cannot be read, or holds something else than numbers.
    """

    names = others = ()
    assumed = None
    filled: Mapping[str, int] = types.MappingProxyType({})

    def __init__(self, path: str | os.PathLike, size: int = 4096) -> None:
        self._x, self._size = read_array(path), size

    def __iter__(self) -> Iterator[Chunk]:
        """Yields the chunks in order."""
        for start in range(0, len(self._x), self._size):
            yield Chunk(self._x[start : start + self._size], {})


def _kept(cells, good):
    return [cell for cell, keep in zip(cells, good, strict=True) if keep]
