"""Brings the data of a run that goes on to where they were."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import keras

from tfcourse.tuning.panda.state.model import build_on


class StreamCheck:
    """Finds out whether an input goes on from epoch to epoch.

    With `steps_per_epoch` Keras draws all epochs from one iterator, otherwise
    each from a new one. A run that goes on must know which.

    Args:
        model: The model in `fit`.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._first: Iterator | None = None
        self.answer: bool | None = None

    def on_epoch_begin(self) -> None:
        """Looks at the iterator of this epoch; after two, it knows."""
        if self.answer is None:
            self._train_function = self._model.train_function
            self._model.train_function = self._look

    def _look(self, *arguments: Any) -> Any:
        self._model.train_function = self._train_function
        iterator = arguments[-1]
        if not hasattr(iterator, "__next__"):
            # On JAX each step is given its batch.
            self.answer = False
        elif self._first is None:
            self._first = iterator
        else:
            self.answer = iterator is self._first
            self._first = None
        return self._train_function(*arguments)


class Replay:
    """Stands in for the train function and draws data without training.

    `fit` calls it for the batches that the epoch has had already, then the
    state of the checkpoint is restored and `fit` goes on as if there had been
    no break. Where the model has no variables before it sees data, they are
    made on the first batch.

    Args:
        model: The model in `fit`.
        ahead: How many batches to draw at once, of the epochs before.
        batches: How many batches of this epoch to draw.
        logs: What to report for them.
        restore: Called once, when the model and its data are ready.
    """

    def __init__(
        self,
        model: keras.Model,
        ahead: int,
        batches: int,
        logs: dict[str, float],
        restore: Callable[[], None],
    ) -> None:
        self._model = model
        self._ahead = ahead
        self._left = batches
        self._logs = logs
        self._restore = restore
        self._train_function = model.train_function
        model.train_function = self

    @property
    def skips(self) -> bool:
        """Whether the present batch is one that the epoch has had."""
        return self._left > 0

    def __call__(self, *arguments: Any) -> Any:
        *state, data = arguments
        if hasattr(data, "__next__"):
            self._draw_ahead(data)
        if not self.skips:
            return self._begin(*arguments)
        # On JAX the batch was drawn before this is called.
        if hasattr(data, "__next__"):
            self._draw(data)
        return (self._logs, *state) if state else self._logs

    def on_batch_end(self) -> None:
        """Counts the batches; after the last one, restores."""
        if self.skips:
            self._left -= self._model.steps_per_execution
            if not self.skips:
                self.end()

    def end(self) -> None:
        """Restores, and lets the train function stand where it was."""
        self._left = 0
        self._model.train_function = self._train_function
        self._restore()

    def _draw_ahead(self, iterator: Iterator) -> None:
        for _ in range(self._ahead):
            next(iterator)
        self._ahead = 0

    def _draw(self, iterator: Iterator) -> None:
        batch = next(iterator)
        # The last execution of an epoch may have fewer steps.
        rest = self._model.steps_per_execution - 1
        for _ in itertools.islice(iterator, rest):
            pass
        self._build_on(batch)

    def _begin(self, *arguments: Any) -> Any:
        """The first step that trains, if none was to be skipped."""
        *state, data = arguments
        if not self._model.built:
            batch = next(data)
            self._build_on(batch)
            data = itertools.chain([batch], data)
        self.end()
        return self._train_function(*state, data)

    def _build_on(self, batch: Any) -> None:
        complete = self._model.built and all(
            metric.variables for metric in self._model.metrics
        )
        if not complete:
            build_on(self._model, batch)
