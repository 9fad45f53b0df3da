"""Going through a dataset as `model.fit` goes through it."""

import itertools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from tfcourse.data.adapters import Batch, number_of_batches

# From so many batches Keras reads what their shapes are.
_SPECIFIES = 2


class Passes:
    """The passes over a dataset in one call of `fit`.

    A `keras.utils.PyDataset` is called as one `model.fit` calls it, for all
    members together: its first two batches are read for their shapes, then
    `on_epoch_end` is called, and in each epoch `on_epoch_begin`, as many
    batches as there were at first, and `on_epoch_end`. Where it is evaluated,
    `on_epoch_end` comes before each pass, too.

    Args:
        data: A `tf.data.Dataset` of batches, or a `keras.utils.PyDataset`.
        rng: What draws the order of the batches of a `PyDataset`, or None if
            they come in their own. The order of a `tf.data.Dataset` is its own.
        evaluates: Whether it is data to evaluate on.
        steps: How many batches a pass has at most; by default all. The next
            pass of training goes on where it ended.

    Raises:
        ValueError: If data without end are to be gone through.
    """

    def __init__(
        self,
        data: Any,
        rng: np.random.Generator | None = None,
        evaluates: bool = False,
        steps: int | None = None,
    ) -> None:
        self._data = data
        self._is_kerass = isinstance(data, keras.utils.PyDataset)
        self._rng = rng
        self._evaluates = evaluates
        self._steps = steps
        self._begun = False
        # How many batches there are, and were read of the present round.
        self._length: int | None = None
        self._seen = 0
        self._round: Iterator[Batch] | None = None

    def __call__(self) -> Iterator[Batch]:
        """Yields the batches of the next pass."""
        self._begin()
        if self._round is None or self._steps is None:
            self._round, self._seen = self._batches(), 0
        wanted, found = self._wanted(), 0
        for batch in itertools.islice(self._round, wanted):
            found += 1
            yield batch
        self._seen += found
        ran_out = wanted is not None and found < wanted
        if ran_out or self._seen == self._length:
            self._round = None
        if self._is_kerass:
            self._data.on_epoch_end()

    def _begin(self) -> None:
        if self._is_kerass and not self._begun:
            count = self._batches_now()
            for i in range(_SPECIFIES if count is None else count)[:_SPECIFIES]:
                self._data[i]
        if self._evaluates or not self._begun:
            self._length, self._round = self._batches_now(), None
            if self._is_kerass:
                self._data.on_epoch_end()
        self._begun = True
        if self._is_kerass:
            self._data.on_epoch_begin()

    def _wanted(self) -> int | None:
        """Returns how many batches to read, or None for all."""
        limits = [self._steps, self._length and self._length - self._seen]
        return min((n for n in limits if n is not None), default=None)

    def _batches(self) -> Iterator[Batch]:
        if not self._is_kerass:
            return iter(self._data)
        count = self._batches_now()
        if count is None:
            return map(self._data.__getitem__, itertools.count())
        order = np.arange(count)
        if self._rng is not None:
            self._rng.shuffle(order)
        return map(self._data.__getitem__, order.tolist())

    def _batches_now(self) -> int | None:
        if self._steps is None:
            return number_of_batches(self._data, "`x`")
        if self._is_kerass:
            return self._data.num_batches
        cardinality = getattr(self._data, "cardinality", None)
        count = -1 if cardinality is None else int(cardinality())
        return count if count >= 0 else None
