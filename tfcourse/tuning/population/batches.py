"""What a population trains on: arrays held on the device, in mini-batches."""

import keras
import numpy as np
from keras import ops


class Batches:
    """Arrays of `n` examples, and how they are cut into mini-batches.

    Args:
        arrays: `(x, y, sample_weight)`, nested; `y` and `sample_weight` may be
            None.
        batch_size: The size of a mini-batch; the last may be smaller.
        subsets: Which `n` of the arrays' examples are those of each member,
            shape `(K, n)`, or None where they are the arrays' own.
    """

    def __init__(self, arrays, batch_size, subsets=None):
        self.arrays = arrays
        self._subsets = subsets
        self.batch_size = min(batch_size, len(self))

    @staticmethod
    def n(arrays):
        return len(_leaves(arrays)[0])

    def __len__(self):
        if self._subsets is not None:
            return self._subsets.shape[1]
        return self.n(self.arrays)

    def order(self, positions, members):
        """Returns where in the arrays the examples are.

        Args:
            positions: Numbers below `n`, in the order wanted.
            members: The indices of the members that are in question.

        Returns:
            The positions, or shape `(members, n)` with subsets.
        """
        if self._subsets is None:
            return positions
        return self._subsets[members][:, positions]

    @property
    def steps(self):
        return -(-len(self) // self.batch_size)

    def head(self):
        """Returns two examples, or the one there is."""
        return _each(lambda array: array[:2], self.arrays)


def read(
    x,
    y=None,
    sample_weight=None,
    class_weight=None,
    batch_size=None,
    subsets=None,
):
    """Returns a function that gives the `Batches` of an epoch.

    Arrays give one `Batches`, always the same. A dataset is gone through anew
    in every epoch; neighbouring batches of one size are put together.

    Args:
        x: An array or nested arrays, a `tf.data.Dataset` of batches, or a
            `keras.utils.PyDataset`.
        y: The targets, unless `x` is a dataset.
        sample_weight: One weight an example.
        class_weight: A dict from class to weight.
        batch_size: For arrays; 32 by default.
        subsets: For arrays; as for `Batches`.

    Raises:
        ValueError: If arguments do not go together, or lengths differ.
    """
    if _are_arrays(x):
        if sample_weight is not None and class_weight is not None:
            raise ValueError(
                "`class_weight` and `sample_weight` cannot both be given."
            )
        if class_weight is not None:
            sample_weight = _class_weights(y, class_weight)
        arrays = on_device((x, y, sample_weight))
        _check_lengths(arrays)
        batches = [Batches(arrays, batch_size or 32, subsets)]
        return lambda: batches
    if y is not None or sample_weight is not None:
        raise ValueError(
            "`y` and `sample_weight` are not given beside a dataset, which "
            f"yields them itself. Received: x={type(x).__name__}"
        )
    if batch_size is not None:
        raise ValueError(
            "`batch_size` is not given beside a dataset, which yields "
            f"batches. Received: batch_size={batch_size}"
        )
    return lambda: _gather(_iterate(x), class_weight)


def orders(shuffle, seed):
    """Returns a function that draws the orders of the examples of an epoch."""
    rng = np.random.default_rng(
        np.random.randint(2**31) if seed is None else seed
    )

    def of_epoch(batches):
        # The batches of a dataset come in an order of its own.
        if shuffle and len(batches) == 1:
            return [rng.permutation(len(batches[0]))]
        return [np.arange(len(b)) for b in batches]

    return of_epoch


def read_validation(validation_data, batch_size, at_least, subsets=None):
    """Returns what `read` does, for the `validation_data` of `fit`.

    Args:
        validation_data: `(x, y)`, `(x, y, sample_weight)`, a dataset or None.
        batch_size: For arrays; 32 by default.
        at_least: The number of examples that a batch should rather have, if it
            makes no difference.
        subsets: As for `Batches`.
    """
    if validation_data is None:
        return None
    if not isinstance(validation_data, (tuple, list)):
        return read(validation_data)
    x, y, weight = keras.utils.unpack_x_y_sample_weight(tuple(validation_data))
    if weight is None:
        batch_size = max(batch_size or 32, at_least)
    return read(x, y, weight, None, batch_size, subsets)


def check_subsets(subsets, members, x):
    """Returns the `subsets` of `Population.fit` as two arrays of indices.

    Raises:
        ValueError: If they are not two of one row a member, if an index is not
            that of an example, or if the examples are not in arrays.
    """
    if not _are_arrays(x):
        raise ValueError(
            "`subsets` of Population.fit are those of arrays. Received: "
            f"x={type(x).__name__}"
        )
    n = Batches.n(x)
    train, held_out = (np.asarray(part) for part in subsets)
    for part in (train, held_out):
        if part.ndim != 2 or len(part) != members or not part.size:
            raise ValueError(
                "`subsets` of Population.fit must be two arrays with a row for "
                f"each of the {members} members. Received shapes: "
                f"{train.shape} and {held_out.shape}"
            )
        if part.dtype.kind not in "iu" or part.min() < 0 or part.max() >= n:
            raise ValueError(
                "`subsets` of Population.fit must hold indices of the "
                f"{n} examples. Received: {part.dtype} of {part.min()} to "
                f"{part.max()}"
            )
    return train.astype("int32"), held_out.astype("int32")


def on_device(arrays):
    """Returns the arrays as tensors."""
    return _each(_tensor, arrays)


def parts(x, batch_size):
    """Yields the inputs by so many examples."""
    x = on_device(x)
    for start in range(0, Batches.n(x), batch_size):
        yield _each(lambda a, s=start: a[s : s + batch_size], x)


def split(x, y, sample_weight, share):
    """Returns training and validation arrays, the last `share` the latter."""
    arrays = _each(np.asarray, (x, y, sample_weight))
    n = Batches.n(arrays)
    cut = int(n * (1 - share))
    if not 0 < cut < n:
        raise ValueError(
            "`validation_split` must leave examples on both sides of the "
            f"{n} given. Received: validation_split={share}"
        )
    return (
        _each(lambda array: array[:cut], arrays),
        _each(lambda array: array[cut:], arrays),
    )


def _are_arrays(x):
    return hasattr(x, "shape") or isinstance(x, (list, tuple, dict))


def _tensor(array):
    if not ops.is_tensor(array):
        array = np.asarray(array)
        if array.dtype == object:
            raise ValueError(
                "Arrays must hold numbers. Received an array of objects, for "
                "instance of rows of different lengths."
            )
    is_float = keras.backend.is_float_dtype(
        keras.backend.standardize_dtype(array.dtype)
    )
    # As `fit` does: floats in the precision of the models.
    dtype = keras.config.floatx() if is_float else None
    return ops.convert_to_tensor(array, dtype)


def _class_weights(y, class_weight):
    classes = np.asarray(y)
    if classes.ndim > 1 and classes.shape[-1] > 1:
        classes = classes.argmax(-1)
    classes = np.round(classes.reshape(len(classes))).astype(int)
    return np.array([class_weight.get(c, 1.0) for c in classes.tolist()])


def _iterate(dataset):
    if isinstance(dataset, keras.utils.PyDataset):
        yield from (dataset[i] for i in range(len(dataset)))
        dataset.on_epoch_end()
        return
    cardinality = getattr(dataset, "cardinality", None)
    if cardinality is not None and int(cardinality()) == -1:
        raise ValueError(
            "The dataset never ends. Give it a length with "
            "`dataset.take(steps)`."
        )
    yield from dataset


def _gather(batches, class_weight):
    groups = []
    for batch in batches:
        arrays = on_device(keras.utils.unpack_x_y_sample_weight(batch))
        if class_weight is not None:
            x, y, _ = arrays
            arrays = on_device((x, y, _class_weights(y, class_weight)))
        shapes = [tuple(array.shape) for array in _leaves(arrays)]
        if not groups or groups[-1][0] != shapes:
            groups.append((shapes, []))
        groups[-1][1].append(arrays)
    if not groups:
        raise ValueError("The dataset is empty.")
    return [
        Batches(_join(arrays), Batches.n(arrays[0])) for _, arrays in groups
    ]


def _join(pieces):
    def join(*arrays):
        return None if arrays[0] is None else ops.concatenate(arrays)

    return keras.tree.map_structure(join, *pieces)


def _each(function, arrays):
    return keras.tree.map_structure(
        lambda array: None if array is None else function(array),
        arrays,
    )


def _leaves(arrays):
    return [a for a in keras.tree.flatten(arrays) if a is not None]


def _check_lengths(arrays):
    lengths = {len(array) for array in _leaves(arrays)}
    if len(lengths) > 1 or lengths == {0}:
        raise ValueError(
            "All arrays must have the same number of examples, at least one. "
            f"Received arrays of {sorted(lengths)} examples."
        )
