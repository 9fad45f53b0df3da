"""Training data batch by batch, however they are stored.

Arrays, a `tf.data.Dataset`, a `keras.utils.PyDataset` and other iterables of
batches are read here, for whoever goes through data without `model.fit`.
"""

import itertools
import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from tfcourse.utils.validation import check_integer

# Arrays in nested lists, tuples and dicts; some may be None.
Arrays = Any
# `inputs`, `(inputs,)`, `(inputs, targets)` or these and weights.
Batch = Any

# What each `PyDataset` has of its own.
_OF_ANY_DATASET = {"__init__", "__getitem__", *vars(type("Any", (), {}))}
_NO_END = (
    "{name} has no end: one pass over it would never finish. Leave out "
    "`repeat()`, limit it, for instance with `dataset.take(steps)`, or give a "
    "PyDataset that knows its length."
)


def are_arrays(data: Any) -> bool:
    """Whether data are arrays, and not batches of them."""
    found = leaves(data)
    return bool(found) and all(
        hasattr(leaf, "shape") and hasattr(leaf, "__getitem__")
        for leaf in found
    )


def leaves(arrays: Arrays) -> list[Any]:
    """Returns the arrays that are not None."""
    return [a for a in keras.tree.flatten(arrays) if a is not None]


def length_of(arrays: Arrays, name: str = "`data`") -> int:
    """Returns how many examples there are in each of the arrays.

    Raises:
        ValueError: If arrays are of unlike length.
    """
    lengths = {len(array) for array in leaves(arrays)}
    if len(lengths) != 1:
        raise ValueError(
            f"{name} must be arrays of the same length. Received arrays of "
            f"lengths {sorted(lengths)}"
        )
    return lengths.pop()


def is_tensorflow_dataset(data: Any) -> bool:
    """Whether data are a `tf.data.Dataset`; TensorFlow is not imported."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(data, tensorflow.data.Dataset)


def overridden_hooks(data: keras.utils.PyDataset) -> list[str]:
    """Returns what a `PyDataset` overrides, but how it makes its batches."""
    base = keras.utils.PyDataset
    classes = type(data).__mro__
    names = {
        name for owner in classes[: classes.index(base)] for name in vars(owner)
    } | vars(data).keys()
    return sorted(names & (vars(base).keys() - _OF_ANY_DATASET))


def number_of_batches(data: Any, name: str = "`data`") -> int | None:
    """Returns how many batches a dataset has, or None if that is not known.

    Raises:
        ValueError: If it has no end.
    """
    if isinstance(data, keras.utils.PyDataset):
        if data.num_batches is None:
            raise ValueError(_NO_END.format(name=name))
        return data.num_batches
    cardinality = getattr(data, "cardinality", None)
    if cardinality is None:
        return len(data) if hasattr(data, "__len__") else None
    length = int(cardinality())
    if length == -1:  # as `tf.data.INFINITE_CARDINALITY`
        raise ValueError(_NO_END.format(name=name))
    return length if length >= 0 else None


def batches_of(data: Any, name: str = "`data`") -> Iterator[Batch]:
    """Yields the batches of a dataset, or another iterable, once.

    Raises:
        ValueError: If it has no end.
    """
    length = number_of_batches(data, name)
    if isinstance(data, keras.utils.PyDataset):
        return (data[i] for i in range(length or 0))
    return iter(data)


class InputBatches:
    """Inputs in batches, for as many passes as the data allow.

    Args:
        data: An array, a list or dict of arrays, a tuple of such inputs and
            targets, or an iterable of batches of these.
        batch_size: Number of examples in a batch, if `data` are arrays.

    Attributes:
        length: Number of batches, or None if that is not known.

    Raises:
        TypeError: If `data` is none of these.
        ValueError: If `data` has no end, if arrays are of unlike length, or
            if `batch_size` is below 1.
    """

    def __init__(self, data: Any, batch_size: int) -> None:
        if are_arrays(data):
            # A list holds several inputs, though in a batch it is a tuple.
            inputs = data[0] if isinstance(data, tuple) else data
            self._batches: Any = _Slices(inputs, batch_size)
        elif hasattr(data, "__iter__") or isinstance(
            data, keras.utils.PyDataset
        ):
            self._batches = data
        else:
            raise TypeError(
                "`data` must be arrays, or batches in a tf.data.Dataset, a "
                f"PyDataset or another iterable. Received: {data!r}"
            )
        self.length = number_of_batches(self._batches)
        # An iterator can be gone through once.
        self._once = data if isinstance(data, Iterator) else None
        self._begun = False

    def first(self) -> Arrays:
        """Returns the inputs of the first batch, which stays the first."""
        batch = next(self._pass(), None)
        if batch is None:
            raise ValueError("`data` holds no batches.")
        if self._once is not None:
            self._once = itertools.chain([batch], self._once)
        return _inputs_of(batch)

    def __iter__(self) -> Iterator[Arrays]:
        if self._once is not None and self._begun:
            raise ValueError(
                "`data` can be read only once, which is enough for a "
                "functional or sequential model but not for one written as a "
                "class. Give arrays, a tf.data.Dataset or a PyDataset."
            )
        self._begun = True
        return map(_inputs_of, self._pass())

    def _pass(self) -> Iterator[Batch]:
        if self._once is not None:
            return self._once
        return batches_of(self._batches)


class _Slices:
    """Arrays of examples as an iterable of batches."""

    def __init__(self, arrays: Arrays, batch_size: int) -> None:
        check_integer(batch_size, "batch_size")
        self._examples = length_of(arrays)
        self._arrays, self._size = arrays, batch_size

    def __len__(self) -> int:
        return -(-self._examples // self._size)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, self._examples, self._size):
            chosen = slice(start, start + self._size)
            inputs = keras.tree.map_structure(
                lambda array, chosen=chosen: np.asarray(array[chosen]),
                self._arrays,
            )
            # Alone, a list would be taken for inputs and targets.
            yield (inputs,)


def _inputs_of(batch: Batch) -> Arrays:
    return keras.utils.unpack_x_y_sample_weight(batch)[0]
