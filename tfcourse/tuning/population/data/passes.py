"""Going through a dataset as `model.fit` goes through it."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from tfcourse.data.adapters import Batch, batches_of, number_of_batches

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
    """

    def __init__(
        self,
        data: Any,
        rng: np.random.Generator | None = None,
        evaluates: bool = False,
    ) -> None:
        self._data = data
        self._rng = rng
        self._evaluates = evaluates
        self._length: int | None = None

    def __call__(self) -> Iterator[Batch]:
        """Returns the batches of the next pass."""
        if isinstance(self._data, keras.utils.PyDataset):
            return self._pass_of(self._data)
        return batches_of(self._data, "`x`")

    def _pass_of(self, data: keras.utils.PyDataset) -> Iterator[Batch]:
        begins = self._length is None
        if begins:
            for i in range(min(_SPECIFIES, self._batches_now())):
                data[i]
        if begins or self._evaluates:
            self._length = self._batches_now()
            data.on_epoch_end()
        data.on_epoch_begin()
        order = np.arange(self._batches_now())
        if self._rng is not None:
            self._rng.shuffle(order)
        for i in order[: self._length].tolist():
            yield data[i]
        data.on_epoch_end()

    def _batches_now(self) -> int:
        return number_of_batches(self._data, "`x`") or 0
