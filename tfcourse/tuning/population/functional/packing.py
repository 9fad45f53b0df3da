"""Many small arrays held as a few large ones.

Outside XLA a small operation costs what calling it costs, whatever its size.
A step that carries, gathers and updates each of a network's fifty variables by
itself spends its time on calls: held end to end in a few flat arrays, they are
carried and updated at once.
"""

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from keras import ops


class Packing:
    """How variables lie in arrays.

    A variable in a group of its own lies there in its own shape, those of a
    larger group lie flat, one after the other.

    Args:
        variables: The variables, anything with a `shape`.
        groups: A list of lists of their indices, each index once.
    """

    def __init__(
        self, variables: Iterable[Any], groups: Iterable[Iterable[int]]
    ) -> None:
        self._shapes = [tuple(v.shape) for v in variables]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        self.groups = [list(group) for group in groups]

    def zeros(self, members: int) -> list[np.ndarray]:
        """Returns arrays of the right shapes for so many members."""
        sizes = [[self._sizes[i] for i in group] for group in self.groups]
        shapes = [
            [sum(some)] if len(some) > 1 else self._shapes[group[0]]
            for some, group in zip(sizes, self.groups, strict=True)
        ]
        return [np.zeros([members, *shape]) for shape in shapes]

    def pack(self, columns: list[np.ndarray]) -> list[np.ndarray]:
        """Returns the arrays `(K, ...)` for variables `(K, *shape)`."""

        def flat(column: np.ndarray) -> np.ndarray:
            return np.reshape(column, [len(column), -1])

        return [
            np.concatenate([flat(columns[i]) for i in group], axis=1)
            if len(group) > 1
            else np.asarray(columns[group[0]])
            for group in self.groups
        ]

    def unpack(self, arrays: Iterable[Any]) -> list[np.ndarray]:
        """Returns the values of the variables of one member, in NumPy."""
        values: list[Any] = [None] * len(self._shapes)
        for array, group in zip(arrays, self.groups, strict=True):
            if len(group) == 1:
                # Of its own shape, whatever that is.
                values[group[0]] = array
                continue
            array = np.reshape(array, -1)
            ends = np.cumsum([self._sizes[i] for i in group])[:-1]
            for i, part in zip(group, np.split(array, ends), strict=True):
                values[i] = part.reshape(self._shapes[i])
        return values

    def place(self, i: int) -> tuple[int, slice | None]:
        """Returns in which array a variable lies, and where if it is flat."""
        for number, group in enumerate(self.groups):
            if i in group:
                if len(group) == 1:
                    return number, None
                before = group[: group.index(i)]
                start = sum(self._sizes[n] for n in before)
                return number, slice(start, start + self._sizes[i])
        raise IndexError(i)

    def shape(self, i: int) -> tuple[int, ...]:
        """Returns the shape of a variable."""
        return self._shapes[i]

    def read(self, array: Any, number: int) -> Iterator[tuple[int, Any]]:
        """Yields index and value of each variable of a group, as tensors.

        Args:
            array: The array of one member, a tensor.
            number: Which of the groups it is.
        """
        group = self.groups[number]
        if len(group) == 1:
            yield group[0], array
            return
        sizes = [self._sizes[i] for i in group]
        ends = list(itertools.accumulate(sizes))[:-1]
        parts: Any = ops.split(array, ends)
        for i, part in zip(group, parts, strict=True):
            yield i, ops.reshape(part, self._shapes[i])

    @staticmethod
    def write(values: list[Any]) -> Any:
        """Returns the array of a group, of the values of its variables."""
        if len(values) == 1:
            return values[0]
        return ops.concatenate([ops.reshape(v, [-1]) for v in values])
