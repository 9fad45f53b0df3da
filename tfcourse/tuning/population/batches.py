"""What a population trains on: arrays held on the device, in mini-batches."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from tfcourse.data.adapters import (
    Arrays,
    are_arrays,
    batches_of,
    leaves,
    length_of,
)

_TWO_WEIGHTS = "`class_weight` and `sample_weight` cannot both be given."
_GIVEN = "`x`, `y` and `sample_weight`"


class Batches:
    """Arrays of `n` examples, and how they are cut into mini-batches.

    Args:
        arrays: `(x, y, sample_weight)`, nested; `y` and `sample_weight` may be
            None.
        batch_size: The size of a mini-batch; the last may be smaller.
        subsets: Which `n` of the arrays' examples are those of each member,
            shape `(K, n)`, or None where they are the arrays' own.
    """

    def __init__(
        self,
        arrays: Arrays,
        batch_size: int,
        subsets: np.ndarray | None = None,
    ) -> None:
        self.arrays = arrays
        self._subsets = subsets
        self.batch_size = min(batch_size, len(self))

    def __len__(self) -> int:
        if self._subsets is not None:
            return self._subsets.shape[1]
        return length_of(self.arrays)

    def order(
        self, positions: np.ndarray, members: np.ndarray | None
    ) -> np.ndarray:
        """Returns where in the arrays the examples are.

        Args:
            positions: Numbers below `n`, in the order wanted.
            members: The indices of the members that are in question, needed
                with subsets.

        Returns:
            The positions, or shape `(members, n)` with subsets.
        """
        if self._subsets is None:
            return positions
        return self._subsets[members][:, positions]

    @property
    def steps(self) -> int:
        return -(-len(self) // self.batch_size)

    def sample(self, size: int) -> "Sample":
        """Returns so many of the examples, from all over the arrays."""
        positions = np.linspace(0, len(self) - 1, size).astype("int32")
        if self._subsets is not None:
            own = self._subsets[:, positions]
            return Sample(Batches(self.arrays, size, own), own)
        arrays = _each(lambda a: ops.take(a, positions, axis=0), self.arrays)
        return Sample(Batches(arrays, size), positions)

    def of_member(self, k: int) -> Arrays:
        """Returns the examples of a member."""
        if self._subsets is None:
            return self.arrays
        own = self._subsets[k]
        return _each(lambda a: ops.take(a, own, axis=0), self.arrays)

    def head(self) -> Arrays:
        """Returns two examples, or the one there is."""
        return _each(lambda array: array[:2], self.arrays)


class Sample(NamedTuple):
    """Some examples.

    Attributes:
        batches: One mini-batch of them.
        positions: Where they are in the arrays that they are of, in ascending
            order; with a row for each member if these have subsets.
    """

    batches: Batches
    positions: np.ndarray


# Gives the `Batches` of an epoch.
Reader = Callable[[], list[Batches]]


class PeekedReader:
    """A `Reader` whose next batches may be looked at before they are read.

    A dataset is gone through no more often for it.
    """

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._next: list[Batches] | None = None

    def peek(self) -> list[Batches]:
        """Returns what the next call will return."""
        if self._next is None:
            self._next = self._read()
        return self._next

    def __call__(self) -> list[Batches]:
        batches, self._next = self.peek(), None
        return batches


def read(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: dict[int, float] | None = None,
    batch_size: int | None = None,
    subsets: np.ndarray | None = None,
) -> Reader:
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
    if are_arrays(x):
        if sample_weight is not None and class_weight is not None:
            raise ValueError(_TWO_WEIGHTS)
        if class_weight is not None:
            sample_weight = _class_weights(y, class_weight)
        arrays = on_device((x, y, _of_each_output(sample_weight, y)))
        if length_of(arrays, _GIVEN) == 0:
            raise ValueError(f"{_GIVEN} must hold at least one example.")
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
    return lambda: _joined(_epoch_of(x), class_weight)


def orders(
    shuffle: bool, seed: int | None
) -> Callable[[list[Batches]], list[np.ndarray]]:
    """Returns a function that draws the orders of the examples of an epoch."""
    rng = np.random.default_rng(
        np.random.randint(2**31) if seed is None else seed
    )

    def of_epoch(batches: list[Batches]) -> list[np.ndarray]:
        # The batches of a dataset come in an order of its own.
        if shuffle and len(batches) == 1:
            return [rng.permutation(len(batches[0]))]
        return [np.arange(len(b)) for b in batches]

    return of_epoch


def read_validation(
    validation_data: Any,
    batch_size: int | None,
    at_least: int,
    subsets: np.ndarray | None = None,
) -> Reader | None:
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


def check_subsets(
    subsets: Iterable[Any], members: int, x: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the `subsets` of `Population.fit` as two arrays of indices.

    Raises:
        ValueError: If they are not two of one row a member, if an index is not
            that of an example, or if the examples are not in arrays.
    """
    if not are_arrays(x):
        raise ValueError(
            "`subsets` of Population.fit are those of arrays. Received: "
            f"x={type(x).__name__}"
        )
    n = length_of(x, "`x`")
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


def on_device(arrays: Arrays) -> Arrays:
    """Returns the arrays as tensors."""
    return _each(_tensor, arrays)


def parts(x: Any, batch_size: int) -> Iterator[Arrays]:
    """Yields the inputs by so many examples."""
    x = on_device(x)
    for start in range(0, length_of(x, "`x`"), batch_size):
        yield _each(lambda a, s=start: a[s : s + batch_size], x)


def split(
    x: Any, y: Any, sample_weight: Any, share: float
) -> tuple[Arrays, Arrays]:
    """Returns training and validation arrays, the last `share` the latter."""
    arrays = _each(np.asarray, (x, y, sample_weight))
    n = length_of(arrays, _GIVEN)
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


def _tensor(array: Any) -> Any:
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


def _class_weights(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    classes = np.asarray(y)
    if classes.ndim > 1 and classes.shape[-1] > 1:
        classes = classes.argmax(-1)
    classes = np.round(classes.reshape(len(classes))).astype(int)
    return np.array([class_weight.get(c, 1.0) for c in classes.tolist()])


def _of_each_output(sample_weight: Any, y: Any) -> Any:
    """Returns one weight an example as that of each of several outputs."""
    several = keras.tree.is_nested(y) and not keras.tree.is_nested(
        sample_weight
    )
    if not several or sample_weight is None:
        return sample_weight
    return keras.tree.map_structure(lambda _: sample_weight, y)


def _epoch_of(dataset: Any) -> Iterator[Arrays]:
    if isinstance(dataset, keras.utils.PyDataset):
        dataset.on_epoch_begin()
    yield from batches_of(dataset, "`x`")
    if isinstance(dataset, keras.utils.PyDataset):
        dataset.on_epoch_end()


def _joined(
    batches: Iterable[Arrays], class_weight: dict[int, float] | None
) -> list[Batches]:
    """Returns `Batches` of which each holds neighbours of one size."""
    groups: list[tuple[list[tuple[int, ...]], list[Arrays]]] = []
    for batch in batches:
        arrays = on_device(keras.utils.unpack_x_y_sample_weight(batch))
        if class_weight is not None:
            x, y, weight = arrays
            if weight is not None:
                raise ValueError(_TWO_WEIGHTS)
            arrays = on_device((x, y, _class_weights(y, class_weight)))
        shapes = [tuple(array.shape) for array in leaves(arrays)]
        if not groups or groups[-1][0] != shapes:
            groups.append((shapes, []))
        groups[-1][1].append(arrays)
    if not groups:
        raise ValueError("The dataset is empty.")
    return [
        Batches(_concatenated(pieces), length_of(pieces[0]))
        for _, pieces in groups
    ]


def _concatenated(pieces: list[Arrays]) -> Arrays:
    def join(*arrays: Any) -> Any:
        return None if arrays[0] is None else ops.concatenate(arrays)

    return keras.tree.map_structure(join, *pieces)


def _each(function: Callable[[Any], Any], arrays: Arrays) -> Any:
    return keras.tree.map_structure(
        lambda array: None if array is None else function(array),
        arrays,
    )
