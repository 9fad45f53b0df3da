"""Checkpoints of many models of one kind, written at the cost of one.

Keras takes some 15 to 50 ms to write the weights of a small model: it walks
through the model, and makes a data set in an HDF5 file for each variable. The
files of models of one kind differ in nothing but numbers. So Keras writes one
file, in which each variable is filled with its own index. Where these are found
the numbers of all others go: into a copy of the file, or, if their shapes
differ, into a new file with the same groups.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import h5py
import keras
import numpy as np

from tfcourse.tuning.population.deferred import (
    all_variables,
    deferred_initialization,
)
from tfcourse.utils.keras_private import every_layer
from tfcourse.utils.machine.disk import check_room_for_weights


class BatchCheckpointWriter:
    """Writes what `model.save_weights` would, for models that differ in sizes.

    The names of layers, which no one reads, may be those of another model.
    """

    def __init__(self) -> None:
        self._templates: dict[tuple, _HDF5Template | None] = {}

    def write(
        self,
        path: pathlib.Path,
        model: keras.Model,
        values: list[np.ndarray],
        constants: Sequence[Any] = (),
    ) -> None:
        """Writes a `.weights.h5` file.

        Args:
            path: The file.
            model: The model with deferred initialization, which is of no more
                use afterwards.
            values: Arrays, in the order of `deferred.all_variables(model)`.
            constants: The variables of the model that are not its own: they
                have their values, and nothing is assigned to them.
        """
        if constants:
            _save(path, model, values, constants)
            return
        kind = _kind(model)
        if kind not in self._templates:
            self._templates[kind] = _make_template(path, model, values)
        template = self._templates[kind]
        if template is None:
            # Something is saved in a way of its own.
            _save(path, model, values)
        else:
            path.write_bytes(template.filled(values))


class _HDF5Template:
    """A file of weights, and where in it each variable is.

    Args:
        content: The file.
        groups: The attributes of each group, by its path, in order.
        places: For each variable the path of its data set, the offset of its
            numbers in the file, and their shape.
    """

    def __init__(
        self,
        content: bytes,
        groups: dict[str, dict],
        places: list[tuple[str, int, tuple]],
    ) -> None:
        self._content = content
        self._groups = groups
        self._places = places

    def filled(self, values: list[np.ndarray]) -> bytes | bytearray:
        """Returns a file with these values."""
        shapes = [shape for _, _, shape in self._places]
        if [value.shape for value in values] != shapes:
            return self._anew(values)
        content = bytearray(self._content)
        for (_, place, _), value in zip(self._places, values, strict=True):
            if value.size:
                content[place : place + value.nbytes] = value.tobytes()
        return content

    def _anew(self, values: list[np.ndarray]) -> bytes:
        with h5py.File(
            "in memory", "w", driver="core", backing_store=False
        ) as file:
            for path, attributes in self._groups.items():
                # A group comes after the one that it is in.
                group = h5py.Group(
                    h5py.h5g.open(file.id, b"/")
                    if path == "/"
                    else h5py.h5g.create(file.id, path.encode())
                )
                for name, value in attributes.items():
                    group.attrs[name] = value
            for (path, _, _), value in zip(self._places, values, strict=True):
                _add(file, path, value)
            file.flush()
            return file.id.get_file_image()


def _add(file: h5py.File, path: str, value: np.ndarray) -> None:
    """Does what `file[path] = value` does, in a third of the time."""
    dtype, space = (
        h5py.h5t.py_create(value.dtype),
        h5py.h5s.create(h5py.h5s.SCALAR),
    )
    if value.ndim:
        space = h5py.h5s.create_simple(value.shape)
    data = h5py.h5d.create(file.id, path.encode(), dtype, space)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(value))


def _make_template(
    path: pathlib.Path, model: keras.Model, values: list[np.ndarray]
) -> _HDF5Template | None:
    """Returns the file of a model as a template, or None if it makes none.

    A small integer can only tell so many variables apart, and what is no type
    of NumPy's, as bfloat16, has no numbers in a file: only its bytes.
    """
    if not all(_can_hold(value.dtype, len(values)) for value in values):
        return None
    marks = [np.full_like(value, i) for i, value in enumerate(values)]
    _save(path, model, marks)
    return _read_template(path, marks)


def _can_hold(dtype: np.dtype, number: int) -> bool:
    if dtype.kind in "iu":
        return number <= np.iinfo(dtype).max
    return dtype.kind == "f"


def _read_template(
    path: pathlib.Path, marks: list[np.ndarray]
) -> _HDF5Template | None:
    """Returns a file as a template, or None if not all marks are found."""
    groups, places = {}, {}

    def visit(name, entry):
        if isinstance(entry, h5py.Group):
            groups[name] = dict(entry.attrs)
            return
        i = int(entry[()].flat[0]) if entry.size else -1
        if 0 <= i < len(marks) and _is(entry, marks[i]):
            place = name, entry.id.get_offset(), entry.shape
            places.setdefault(i, []).append(place)
        else:
            places[None] = [name]

    with h5py.File(path) as file:
        groups["/"] = dict(file.attrs)
        file.visititems(visit)
    if any(len(some) > 1 for some in places.values()) or set(places) != set(
        range(len(marks))
    ):
        return None
    return _HDF5Template(
        path.read_bytes(), groups, [places[i][0] for i in range(len(marks))]
    )


def _kind(model: keras.Model) -> tuple:
    """Returns what models have in common whose files differ in sizes only."""
    layers = tuple(
        (type(layer), len(layer.variables)) for layer in every_layer(model)
    )
    return layers, type(model.optimizer), len(model.optimizer.variables)


def _is(data: h5py.Dataset, mark: np.ndarray) -> bool:
    return (
        data.dtype == mark.dtype
        and data.shape == mark.shape
        and np.array_equal(data[()], mark)
    )


def _save(
    path: pathlib.Path,
    model: keras.Model,
    values: list[np.ndarray],
    constants: Sequence[Any] = (),
) -> None:
    check_room_for_weights(path, [value.shape for value in values])
    kept = {id(variable) for variable in constants}
    with deferred_initialization():
        for variable, value in zip(all_variables(model), values, strict=True):
            if id(variable) not in kept:
                variable.assign(value)
    model.built = True
    model.save_weights(path, overwrite=True)
