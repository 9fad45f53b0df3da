"""Arrays held on the device, in mini-batches."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from tfcourse.data.adapters import Arrays, length_of


class Batches:
    """Arrays of `n` examples, and how they are cut into mini-batches.

    Args:
        arrays: `(x, y, sample_weight)`, nested; `y` and `sample_weight` may be
            None.
        batch_size: The size of a mini-batch; the last may be smaller.
        subsets: Which `n` of the arrays' examples are those of each member,
            shape `(K, n)`, or None where they are the arrays' own.
        in_order: Whether the examples have an order, as a dataset's have.
    """

    def __init__(
        self,
        arrays: Arrays,
        batch_size: int,
        subsets: np.ndarray | None = None,
        in_order: bool = False,
    ) -> None:
        self.arrays = arrays
        self._subsets = subsets
        self.batch_size = min(batch_size, len(self))
        self.in_order = in_order

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
        arrays = each(lambda a: ops.take(a, positions, axis=0), self.arrays)
        return Sample(Batches(arrays, size), positions)

    def of_member(self, k: int) -> Arrays:
        """Returns the examples of a member."""
        if self._subsets is None:
            return self.arrays
        own = self._subsets[k]
        return each(lambda a: ops.take(a, own, axis=0), self.arrays)

    def head(self) -> Arrays:
        """Returns two examples, or the one there is."""
        return each(lambda array: array[:2], self.arrays)


class Sample(NamedTuple):
    """Some examples.

    Attributes:
        batches: One mini-batch of them.
        positions: Where they are in the arrays that they are of, in ascending
            order; with a row for each member if these have subsets.
    """

    batches: Batches
    positions: np.ndarray


def generator(shuffle: bool, seed: int | None) -> np.random.Generator | None:
    """Returns what draws the orders of examples, or None if nothing does."""
    if not shuffle:
        return None
    return np.random.default_rng(
        np.random.randint(2**31) if seed is None else seed
    )


class Orders:
    """The orders of the examples, epoch by epoch.

    Args:
        rng: What draws them, or None if examples come in their own.
        steps: How many mini-batches an epoch has at most; by default all. The
            next epoch goes on where it ended.
    """

    def __init__(
        self, rng: np.random.Generator | None, steps: int | None = None
    ) -> None:
        self._rng = rng
        self._steps = steps
        self._left = np.arange(0)

    @property
    def state(self) -> dict[str, Any]:
        """What `restore` takes, as JSON has it."""
        drawn = None if self._rng is None else self._rng.bit_generator.state
        return {"drawn": drawn, "left": self._left.tolist()}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a state."""
        if self._rng is not None:
            self._rng.bit_generator.state = state["drawn"]
        self._left = np.array(state["left"], int)

    def __call__(self, batches: list[Batches]) -> list[np.ndarray]:
        """Returns the order of the examples of each of the batches."""
        if self._steps is None or batches[0].in_order:
            return [self._of_all(b) for b in batches]
        (some,) = batches
        if not len(self._left):
            self._left = self._of_all(some)
        end = self._steps * some.batch_size
        now, self._left = self._left[:end], self._left[end:]
        return [now]

    def _of_all(self, batches: Batches) -> np.ndarray:
        if self._rng is None or batches.in_order:
            return np.arange(len(batches))
        return self._rng.permutation(len(batches))


def on_device(arrays: Arrays) -> Arrays:
    """Returns the arrays as tensors."""
    return each(_tensor, arrays)


def parts(x: Any, batch_size: int) -> Iterator[Arrays]:
    """Yields the inputs by so many examples."""
    x = on_device(x)
    for start in range(0, length_of(x, "`x`"), batch_size):
        yield each(lambda a, s=start: a[s : s + batch_size], x)


def each(function: Callable[[Any], Any], arrays: Arrays) -> Any:
    """Returns nested arrays with a function applied to each."""
    return keras.tree.map_structure(
        lambda array: None if array is None else function(array),
        arrays,
    )


def _tensor(array: Any) -> Any:
    if not ops.is_tensor(array):
        array = np.asarray(array)
        if array.dtype == object:
            raise ValueError(
                "Arrays must hold numbers. Received an array of objects, "
                "perhaps rows of different lengths."
            )
    is_float = keras.backend.is_float_dtype(
        keras.backend.standardize_dtype(array.dtype)
    )
    # As `fit` does: floats in the precision of the models.
    dtype = keras.config.floatx() if is_float else None
    return ops.convert_to_tensor(array, dtype)
