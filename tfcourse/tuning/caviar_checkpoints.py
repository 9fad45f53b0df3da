"""Checkpoints of many models of one structure, written at the cost of one.

Keras takes some 15 ms to write the weights of a small model: for each variable
a data set in an HDF5 file. The files of models of one structure differ in
nothing but numbers, which lie at the same places. So Keras writes one file, in
which each variable is filled with its own index; where these are found, the
numbers of all others go.
"""

import h5py
import numpy as np

from tfcourse.tuning.population.drafts import drafting, variables


class Checkpoints:
    """Writes what `model.save_weights` would, for models of one structure.

    Args:
        same_shapes: Whether the variables of all of them have like shapes.
    """

    def __init__(self, same_shapes=True):
        self._same_shapes = same_shapes
        self._content = self._places = None

    def write(self, path, model, values):
        """Writes a `.weights.h5` file.

        Args:
            path: The file, a `pathlib.Path`.
            model: A draft of the model, which is of no more use afterwards.
            values: Arrays, in the order of `drafts.variables(model)`.
        """
        if self._same_shapes and self._content is None:
            self._learn(path, model, values)
        if self._same_shapes:
            path.write_bytes(self._filled(values))
        else:
            _save(path, model, values)

    def _learn(self, path, model, values):
        """Finds out where each variable lies in a file that Keras writes."""
        marks = [np.full_like(value, i) for i, value in enumerate(values)]
        _save(path, model, marks)
        places = {}

        def visit(_, data):
            if isinstance(data, h5py.Dataset) and data.size:
                i = int(data[()].flat[0])
                if 0 <= i < len(marks) and _is(data, marks[i]):
                    places.setdefault(i, []).append(data.id.get_offset())

        with h5py.File(path) as file:
            file.visititems(visit)
        found = [places.get(i, [None]) for i in range(len(marks))]
        if any(len(some) > 1 or None in some for some in found):
            # Something is saved in a way of its own.
            self._same_shapes = False
            return
        self._content = path.read_bytes()
        self._places = [place for (place,) in found]

    def _filled(self, values):
        content = bytearray(self._content)
        for place, value in zip(self._places, values, strict=True):
            content[place : place + value.nbytes] = value.tobytes()
        return content


def _is(data, mark):
    return (
        data.dtype == mark.dtype
        and data.shape == mark.shape
        and np.array_equal(data[()], mark)
    )


def _save(path, model, values):
    with drafting():
        for variable, value in zip(variables(model), values, strict=True):
            variable.assign(value)
    model.built = True
    model.save_weights(path, overwrite=True)
