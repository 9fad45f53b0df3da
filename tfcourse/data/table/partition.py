"""Which rows are for training, development and test, by a column."""

import collections
import dataclasses

import numpy as np

from tfcourse.errors import InputError
from tfcourse.utils.text import listed

_PARTS = ("train", "dev", "test")
# How the parts may be called in a column.
_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("dev", "val", "valid", "validation", "eval"), "dev"),
    **dict.fromkeys(("test", "testing"), "test"),
}


@dataclasses.dataclass(frozen=True)
class Partition:
    """What a column says of the parts of a table.

    Attributes:
        how: `"split"`, the column names the part of each row; `"group"`, rows
            with one value stay together; `"time"`, later rows test.
        name: Of the column.
        values: What is in it, shape `(m,)`.
    """

    how: str
    name: str
    values: np.ndarray

    def positions(
        self, held_out: int, seed: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the positions of training, development and test set.

        Args:
            held_out: How many examples development and test set should have
                each, where the column leaves it open.
            seed: Of the draw of groups.

        Raises:
            InputError: If a part would be empty.
        """
        if self.how == "split":
            parts = self._named()
        elif self.how == "group":
            parts = self._grouped(held_out, np.random.default_rng(seed))
        else:
            order = np.argsort(self.values, kind="stable")
            first = len(order) - 2 * held_out
            parts = np.split(order, [first, first + held_out])
        for part, positions in zip(
            ("train", "dev", "test"), parts, strict=True
        ):
            if not len(positions):
                raise InputError(
                    f"By column {self.name!r} the {part} set has no row. "
                    f"Choose another column for --{self.how}."
                )
        return tuple(parts)

    def _named(self):
        parts = [_NAMES.get(str(value).lower()) for value in self.values]
        unknown = {v for v, p in zip(self.values, parts, strict=True) if not p}
        if unknown:
            raise InputError(
                f"Column {self.name!r} must say train, dev or test in each "
                f"row. It has: {listed(sorted(unknown))}."
            )
        parts = np.array(parts)
        return [np.flatnonzero(parts == p) for p in _PARTS]

    def _grouped(self, held_out, rng):
        """Fills test and development set with whole groups, in random order."""
        rows = collections.defaultdict(list)
        for row, value in enumerate(self.values.tolist()):
            rows[value].append(row)
        if len(rows) < 3:
            raise InputError(
                f"Column {self.name!r} has {len(rows)} groups; the training, "
                "development and test sets need one each. Choose another "
                "column for --group."
            )
        waiting = [list(rows)[i] for i in rng.permutation(len(rows))]
        test = _filled(waiting, rows, held_out, leave=2)
        dev = _filled(waiting, rows, held_out, leave=1)
        train = [row for group in waiting for row in rows[group]]
        return [rng.permutation(part) for part in (train, dev, test)]


def _filled(waiting, rows, size, leave):
    """Takes groups off a list until they have so many rows, or few are left."""
    taken = []
    while len(taken) < size and len(waiting) > leave:
        taken += rows[waiting.pop()]
    return taken
