"""The inputs of a training set, batch by batch, whatever it is kept in."""

import itertools

import keras
import numpy as np

_NO_END = (
    "`data` has no end: one pass over it would never be over. Give it without "
    "`repeat()`, or a PyDataset that knows its length."
)


class InputBatches:
    """Inputs in batches, as often as the data can be gone through.

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

    def __init__(self, data, batch_size):
        if _are_arrays(data):
            # A list holds several inputs, though in a batch it is a tuple.
            inputs = data[0] if isinstance(data, tuple) else data
            self._batches = _Slices(inputs, batch_size)
        elif isinstance(data, keras.utils.PyDataset):
            self._batches = _Indexed(data)
        elif hasattr(data, "__iter__"):
            self._batches = data
        else:
            raise TypeError(
                "`data` must be arrays, or batches in a tf.data.Dataset, a "
                f"PyDataset or another iterable. Received: {data!r}"
            )
        self.length = _length(self._batches)
        # An iterator can be gone through once.
        self._once = iter(data) if iter(self._batches) is data else None
        self._begun = False

    def first(self):
        """Returns the inputs of the first batch, which stays the first."""
        source = self._batches if self._once is None else self._once
        batch = next(iter(source), None)
        if batch is None:
            raise ValueError("`data` have no batches.")
        if self._once is not None:
            self._once = itertools.chain([batch], self._once)
        return _inputs_of(batch)

    def __iter__(self):
        if self._once is not None and self._begun:
            raise ValueError(
                "`data` can be gone through only once, which is enough for a "
                "functional or sequential model but not for one written as a "
                "class. Give arrays, a tf.data.Dataset or a PyDataset."
            )
        self._begun = True
        source = self._batches if self._once is None else self._once
        return map(_inputs_of, source)


class _Slices:
    def __init__(self, arrays, batch_size):
        if isinstance(batch_size, bool) or not isinstance(batch_size, int):
            raise TypeError(
                "`batch_size` must be an integer. "
                f"Received: batch_size={batch_size!r}"
            )
        if batch_size < 1:
            raise ValueError(
                "`batch_size` must be 1 or more. "
                f"Received: batch_size={batch_size}"
            )
        lengths = {len(array) for array in keras.tree.flatten(arrays)}
        if len(lengths) != 1:
            raise ValueError(
                "`data` must be arrays of one length. Received arrays of "
                f"lengths {sorted(lengths)}"
            )
        self._arrays, self._size = arrays, batch_size
        self._examples = lengths.pop()

    def __len__(self):
        return -(-self._examples // self._size)

    def __iter__(self):
        for start in range(0, self._examples, self._size):
            chosen = slice(start, start + self._size)
            inputs = keras.tree.map_structure(
                lambda array, chosen=chosen: np.asarray(array[chosen]),
                self._arrays,
            )
            # Alone, a list would be taken for inputs and targets.
            yield (inputs,)


class _Indexed:
    def __init__(self, dataset):
        if dataset.num_batches is None:
            raise ValueError(_NO_END)
        self._dataset = dataset

    def __len__(self):
        return self._dataset.num_batches

    def __iter__(self):
        return (self._dataset[i] for i in range(len(self)))


def _are_arrays(data):
    leaves = keras.tree.flatten(data)
    return bool(leaves) and all(
        hasattr(leaf, "shape") and hasattr(leaf, "__getitem__")
        for leaf in leaves
    )


def _inputs_of(batch):
    return keras.utils.unpack_x_y_sample_weight(batch)[0]


def _length(batches):
    if hasattr(batches, "cardinality"):
        length = int(batches.cardinality())
        if length == -1:  # as `tf.data.INFINITE_CARDINALITY`
            raise ValueError(_NO_END)
        return length if length >= 0 else None
    return len(batches) if hasattr(batches, "__len__") else None
