"""The best epoch of each member, and when its patience ends."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tfcourse.utils.keras_private import larger_is_better

Logs = dict[str, Any]


class BestTracker:
    """The best value of one metric that each member has had so far.

    Args:
        model: A compiled and built model, which knows its metrics.
        monitor: The name of the metric, e.g. `"val_loss"`.
        mode: `"min"`, `"max"`, or `"auto"`: known by the metric's name.
        break_ties_by: Names of metrics. Of two equal values the one counts as
            better that comes with the lower value of the first of these that
            is in the logs.
        min_delta: By how much a value must be better to count.
        start_from_epoch: Before that epoch, nothing counts.
    """

    def __init__(
        self,
        model: keras.Model,
        monitor: str,
        mode: str = "auto",
        break_ties_by: Sequence[str] = (),
        min_delta: float = 0.0,
        start_from_epoch: int = 0,
    ) -> None:
        self.monitor = monitor
        self.sign = _sign(model, monitor, mode)
        self.min_delta = abs(min_delta)
        self.start_from_epoch = start_from_epoch
        self.best: Any = None
        self._break_ties_by = break_ties_by
        self._tie: Any = None

    def improved(self, epoch: int, logs: Logs) -> np.ndarray:
        """Notes the values of an epoch and returns whose are a new best.

        Args:
            epoch: The epoch, from 0.
            logs: A dict from metric to an array of one value a member.

        Raises:
            ValueError: If the metric is not among the logs.
        """
        if self.monitor not in logs:
            raise ValueError(
                f"`{self.monitor}` is monitored, but training reports "
                f"{sorted(logs)}."
            )
        values = self.sign * np.asarray(logs[self.monitor], float)
        if self.best is None:
            self.best = np.full(len(values), np.nan)
            self._tie = np.full(len(values), np.inf)
        if epoch < self.start_from_epoch:
            return np.zeros(len(values), bool)
        is_first = np.isnan(self.best)
        better = is_first | (values - self.min_delta > self.best)
        tie = self._tie_of(logs, len(values))
        better |= (values == self.best) & (tie < self._tie)
        self.best = np.where(better, values, self.best)
        self._tie = np.where(better, tie, self._tie)
        return better

    def _tie_of(self, logs: Logs, size: int) -> np.ndarray:
        """Returns what decides among equals; the same for all if nothing."""
        for name in self._break_ties_by:
            if name in logs:
                values = np.asarray(logs[name], float)
                return np.where(np.isnan(values), np.inf, values)
        return np.full(size, np.inf)

    def values(self) -> np.ndarray:
        """Returns the best values so far."""
        return self.sign * self.best

    def state(self) -> dict[str, np.ndarray]:
        """Returns what `restore` takes."""
        return (
            {} if self.best is None else {"best": self.best, "tie": self._tie}
        )

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes on from a state."""
        self.best, self._tie = state.get("best"), state.get("tie")

    def take(self, rows: np.ndarray) -> None:
        """Leaves the values of all but some members out."""
        if self.best is not None:
            self.best = self.best[rows]
            self._tie = self._tie[rows]


class EarlyStopping:
    """`keras.callbacks.EarlyStopping` for each member by itself.

    Args:
        model: A compiled and built model, which knows its metrics.
        callback: The `keras.callbacks.EarlyStopping` to follow.
    """

    def __init__(
        self, model: keras.Model, callback: keras.callbacks.EarlyStopping
    ) -> None:
        self.tracker = BestTracker(
            model,
            callback.monitor,
            callback.mode,
            min_delta=callback.min_delta,
            start_from_epoch=callback.start_from_epoch,
        )
        self._callback = callback
        self._wait: Any = None

    def stops(self, epoch: int, logs: Logs, improved: np.ndarray) -> np.ndarray:
        """Returns which members stop after this epoch."""
        if self._wait is None:
            self._wait = np.zeros(len(improved), int)
        if epoch < self._callback.start_from_epoch:
            return np.zeros(len(improved), bool)
        self._wait += 1
        starts_anew = improved
        if self._callback.baseline is not None:
            sign, margin = self.tracker.sign, self.tracker.min_delta
            values = sign * np.asarray(logs[self.tracker.monitor], float)
            beats = values - margin > sign * self._callback.baseline
            starts_anew = improved & beats
        self._wait[starts_anew] = 0
        out_of_patience = self._wait >= self._callback.patience
        return ~improved & out_of_patience & (epoch > 0)

    def take(self, rows: np.ndarray) -> None:
        """Leaves the values of all but some members out."""
        self.tracker.take(rows)
        if self._wait is not None:
            self._wait = self._wait[rows]


def _sign(model: keras.Model, monitor: str, mode: str) -> int:
    """Returns 1 if larger is better, else -1."""
    if mode in ("min", "max"):
        return 1 if mode == "max" else -1
    return 1 if larger_is_better(model, monitor) else -1
