"""The values of all members' variables, also of those that have left."""

from typing import Any

import numpy as np
from keras import ops

from tfcourse.tuning.population.deferred import all_variables
from tfcourse.tuning.population.functional.member import Member

Tensor = Any


class State:
    """Arrays with one row for each member that is still in them.

    Args:
        member: The `Member`, which knows what the arrays are made of.
        size: K, how many members there are.

    Attributes:
        arrays: The arrays `(K, ...)`, those of the metrics last; None until
            they are filled.
        rows: Which members are in them, by their index.
        best: The arrays as they were at each member's best, or None.
    """

    def __init__(self, member: Member, size: int) -> None:
        self._member = member
        self._size = size
        self.arrays: Any = None
        self.best: Any = None
        self.rows = np.arange(size)
        self._left: dict[int, list[np.ndarray]] = {}
        self._left_best: dict[int, list[np.ndarray]] = {}
        self._copies: dict[bool, tuple[list[Tensor], list[np.ndarray]]] = {}

    def fill(self, columns: list[np.ndarray]) -> None:
        """Takes a list of arrays `(K, ...)`, one for each saved variable."""
        member = self._member
        metrics = [
            np.stack([value] * self._size) for value in member.initial_metrics()
        ]
        self.arrays = [
            ops.convert_to_tensor(array, dtype)
            for array, dtype in zip(
                member.packing.pack([*columns, *metrics]),
                member.dtypes,
                strict=True,
            )
        ]
        self._initial_metrics = self.arrays[member.saved :]

    @property
    def saved(self) -> list[Tensor]:
        """The arrays without those of the metrics."""
        return self.arrays[: self._member.saved]

    @property
    def saved_variables(self) -> int:
        """How many values `values` returns."""
        return self._member.saved_variables

    def begin(self, arrays: list[Tensor]) -> list[Tensor]:
        """Returns arrays with the metrics as before the first batch."""
        size, saved = len(arrays[0]), self._member.saved
        return [*arrays[:saved], *(v[:size] for v in self._initial_metrics)]

    def update(self, rows: np.ndarray, arrays: list[Tensor]) -> None:
        """Takes over the new arrays, for the marked rows only."""
        self.arrays = where(rows, arrays, self.arrays)

    def note_best(self, rows: np.ndarray) -> None:
        """Keeps the present values of the marked rows as their best."""
        if self.best is None:
            self.best = self.saved
        else:
            self.best = where(rows, self.saved, self.best)

    def restore_best(self) -> None:
        """Gives the models, not their optimizers, their best values."""
        if self.best is not None:
            count = self._member.of_model
            self.arrays = [*self.best[:count], *self.arrays[count:]]

    def keep(self, rows: np.ndarray) -> None:
        """Takes all but some rows, given by number, from the arrays."""
        for k in np.delete(self.rows, rows).tolist():
            if self.best is not None:
                self._left_best[k] = self._row(k, best=True)
            self._left[k] = self._row(k, best=False)
        self._copies.clear()
        self.rows = self.rows[rows]
        self.arrays = take(self.arrays, rows)
        if self.best is not None:
            self.best = take(self.best, rows)

    def gather(self, sources: np.ndarray) -> None:
        """Gives each member the present values of another, or its own.

        Args:
            sources: For each of all members whose values it takes.
        """
        if len(self.rows) != self._size:
            raise ValueError("Members have left, and cannot be copied.")
        self.arrays = take(self.arrays, sources)

    def to_numpy(self) -> tuple[list[np.ndarray], list[np.ndarray] | None]:
        """Returns the present arrays, and those of the best epochs."""
        best = None if self.best is None else self._in_numpy(best=True)
        return self._in_numpy(best=False), best

    def restore(
        self, arrays: list[np.ndarray], best: list[np.ndarray] | None
    ) -> None:
        """Takes what `to_numpy` returned.

        Raises:
            ValueError: If it is of another population.
        """
        self.arrays = [*self._tensors(arrays), *self._initial_metrics]
        self.best = None if best is None else self._tensors(best)

    def _tensors(self, arrays: list[np.ndarray]) -> list[Tensor]:
        shapes = [array.shape for array in arrays]
        if shapes != [tuple(array.shape) for array in self.saved]:
            raise ValueError("the arrays are those of another population")
        return [
            # Those that NumPy does not have come as bytes.
            ops.convert_to_tensor(
                array.view(dtype) if array.dtype.kind == "V" else array, dtype
            )
            for array, dtype in zip(arrays, self._member.dtypes, strict=False)
        ]

    def values(self, k: int, best: bool) -> list[np.ndarray]:
        """Returns the value of each saved variable of a member."""
        return self._unpacked(self._row(k, best))

    def values_in(self, arrays: list[Tensor], row: int) -> list[np.ndarray]:
        """Returns what `values` does, of a row of any arrays."""
        saved = arrays[: self._member.saved]
        return self._unpacked([np.asarray(a[row]) for a in saved])

    def _unpacked(self, row: list[np.ndarray]) -> list[np.ndarray]:
        metrics = [ops.convert_to_numpy(v[0]) for v in self._initial_metrics]
        values = self._member.packing.unpack([*row, *metrics])
        return values[: self._member.saved_variables]

    def value(self, k: int, i: int) -> np.ndarray:
        """Returns the present value of one variable of a member."""
        if k in self._left:
            return self.values(k, best=False)[i]
        number, part = self._member.packing.place(i)
        row = self._in_numpy(best=False)[number][self._row_of(k)]
        if part is None:
            return row.copy()
        return np.reshape(row[part], self._member.packing.shape(i)).copy()

    def write(self, changes: dict[int, dict[int, np.ndarray]]) -> None:
        """Gives variables of members other values.

        Args:
            changes: For each member a dict from the number of a variable to
                its value.
        """
        packing, written = self._member.packing, {}
        for k, values in changes.items():
            for i, value in values.items():
                number, part = packing.place(i)
                if k in self._left:
                    row = self._left[k][number]
                else:
                    if number not in written:
                        column = self._in_numpy(best=False)[number]
                        written[number] = column.copy()
                    row = written[number][self._row_of(k), ...]
                row[... if part is None else part] = np.reshape(
                    value, row.shape if part is None else -1
                )
        self.arrays = [
            ops.convert_to_tensor(written[n], array.dtype)
            if n in written
            else array
            for n, array in enumerate(self.arrays)
        ]

    def _row_of(self, k: int) -> int:
        return int(np.flatnonzero(self.rows == k)[0])

    def everyone(self, best: bool) -> list[Tensor]:
        """Returns the arrays with a row for each member, left or not."""
        if len(self.rows) == self._size:
            saved = self.best if best else self.saved
        else:
            rows = [self._row(k, best) for k in range(self._size)]
            saved = [
                ops.convert_to_tensor(np.stack(column))
                for column in zip(*rows, strict=True)
            ]
        return [*saved, *self._initial_metrics]

    def _row(self, k: int, best: bool) -> list[np.ndarray]:
        left = self._left_best if best else self._left
        if k in left:
            return left[k]
        if best and self.best is None:
            raise ValueError(
                "The best weights were not kept. Call `fit` with `keep_best`, "
                "e.g. keep_best='val_loss'."
            )
        row = self._row_of(k)
        # Not views, which would keep the other rows alive.
        return [array[row].copy() for array in self._in_numpy(best)]

    def _in_numpy(self, best: bool) -> list[np.ndarray]:
        """Returns the arrays in NumPy, which is done once for all rows."""
        arrays = self.best if best else self.saved
        kept, copies = self._copies.get(best, ([], []))
        if len(kept) != len(arrays) or any(
            a is not b for a, b in zip(kept, arrays, strict=True)
        ):
            # Where they lie in the memory of the CPU, this copies nothing.
            copies = [np.asarray(array) for array in arrays]
            self._copies[best] = arrays, copies
        return copies


def take(arrays: list[Tensor], rows: np.ndarray) -> list[Tensor]:
    """Returns some rows of stacked arrays."""
    return [ops.take(array, rows, axis=0) for array in arrays]


def where(
    rows: np.ndarray, new: list[Tensor], old: list[Tensor]
) -> list[Tensor]:
    """Returns the new arrays in the marked rows, the old ones elsewhere."""
    if rows.all():
        return new

    def choose(a: Tensor, b: Tensor) -> Tensor:
        if a is b:
            return a
        mask = rows.reshape([-1] + [1] * (a.ndim - 1))
        return ops.where(mask, a, b)

    return [choose(a, b) for a, b in zip(new, old, strict=True)]


def columns_of(models: list[Any]) -> list[np.ndarray]:
    """Returns the stacked values of all variables, the optimizers' too."""
    rows: list[list[Any]] = []
    for model in models:
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        rows.append(all_variables(model))
    return [
        np.stack([np.asarray(ops.convert_to_numpy(v)) for v in column])
        for column in zip(*rows, strict=True)
    ]


def assign(values: list[np.ndarray], model: Any) -> None:
    """Gives a model, and its optimizer if it has one, these values.

    Raises:
        ValueError: If its variables are not of the same shapes.
    """
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        variables += optimizer.variables
    shapes = [tuple(v.shape) for v in variables]
    wanted = [tuple(v.shape) for v in values][: len(shapes)]
    if shapes != wanted:
        raise ValueError(
            "The model is not of the population's structure: it has "
            f"variables of shapes {shapes}, the population {wanted}."
        )
    for variable, value in zip(variables, values, strict=False):
        variable.assign(value)
