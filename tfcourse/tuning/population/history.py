"""What is noted of each member after each epoch."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.population.early_stopping import (
    BestTracker,
    EarlyStopping,
)
from tfcourse.utils.notebook import Shown


class MemberHistory(Shown, keras.callbacks.History):
    """What `fit` returns for one member of a population.

    Attributes:
        history: A dict from metric to its values, one per epoch.
        epoch: The epochs, from 0.
        best_epoch: The epoch with the best value of what was watched, or None
            if nothing was.
        stopped_epoch: The epoch after which the member was stopped, before the
            end of training, or None.
        diverged_epoch: The epoch in which the loss ceased to be finite, or
            None. The member keeps its weights from before that epoch.
        diverged_value: The loss of that epoch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None
        self.diverged_epoch: int | None = None
        self.diverged_value: float | None = None
        # What is known of the last epoch.
        self._last: set[str] = set()

    def __str__(self) -> str:
        values = "".join(f", {name} {last}" for name, _, last in self._rows())
        return f"<MemberHistory: {self._said()}{values}>"

    def _as_table(self) -> Any:
        return ("", "first", "last"), self._rows(), self._said()

    def _said(self) -> str:
        count = len(self.epoch)
        said = f"{count} epoch{'' if count == 1 else 's'}"
        if self.best_epoch is not None:
            said += f", the best is {self.best_epoch + 1}"
        if self.stopped_epoch is not None:
            said += f", stopped after {self.stopped_epoch + 1}"
        if self.diverged_epoch is not None:
            said += f", diverged in {self.diverged_epoch + 1}"
        return said

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        """Yields each metric that is a number, its first and last value."""
        for name, values in self.history.items():
            if values and np.ndim(values[-1]) == 0:
                yield name, f"{values[0]:.4g}", f"{values[-1]:.4g}"

    def add(self, epoch: int, logs: dict[str, Any]) -> None:
        """Adds the metrics of an epoch."""
        self.epoch.append(epoch)
        self._last = set(logs)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def amend(self, logs: dict[str, Any]) -> None:
        """Gives metrics of the last epoch other values, or adds some."""
        for name, value in logs.items():
            values = self.history.setdefault(name, [])
            if name in self._last:
                values.pop()
            values.append(value)


class TrainingLog:
    """Histories, best epochs, and who is to stop.

    Args:
        model: A compiled and built model, which knows its metrics.
        size: The number of members.
        epochs: The epoch at which training ends.
        keep_best: As for `Population.fit`.
        early_stopping: As for `Population.fit`.
        validates: Whether there are data to validate on.
        validation_freq: As for `Population.fit`.
        keep_unseen: Whether an epoch of which `keep_best` is not known counts
            as the best.
        break_ties_by: As for `BestTracker`, of `keep_best`.

    Attributes:
        histories: A `MemberHistory` for each member.
        keeps_best: Whether the best weights are to be kept.
        restores_best: Whether members end with their best weights.
    """

    def __init__(
        self,
        model: keras.Model,
        size: int,
        epochs: int,
        keep_best: str | tuple[str, str] | None,
        early_stopping: int | keras.callbacks.EarlyStopping | None,
        validates: bool,
        validation_freq: int | list[int] = 1,
        keep_unseen: bool = False,
        break_ties_by: Sequence[str] = (),
    ) -> None:
        self._validates = validates
        self._frequency = validation_freq
        self._keep_unseen = keep_unseen
        self.histories = [MemberHistory() for _ in range(size)]
        self._epochs = epochs
        self._noted = -1
        callback = _callback(early_stopping, validates)
        self._early_stopping = callback and EarlyStopping(model, callback)
        self.restores_best = False
        if callback is not None and callback.restore_best_weights:
            self.restores_best = True
            keep_best = keep_best or (callback.monitor, callback.mode)
        if isinstance(keep_best, str):
            keep_best = keep_best, "auto"
        self.keeps_best = keep_best is not None
        self._best = keep_best and BestTracker(
            model, *keep_best, break_ties_by=break_ties_by
        )

    def validates(self, epoch: int) -> bool:
        """Whether there is an evaluation after an epoch."""
        if isinstance(self._frequency, list):
            return self._validates and epoch + 1 in self._frequency
        return self._validates and (epoch + 1) % self._frequency == 0

    def _is_unseen(self, metric: str, epoch: int) -> bool:
        """Whether a metric is not known, as nothing was evaluated."""
        validated = metric.startswith("val_")
        return validated and self._validates and not self.validates(epoch)

    def note(
        self,
        epoch: int,
        logs: dict[str, np.ndarray],
        rows: np.ndarray,
        going: np.ndarray,
        kept: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Notes an epoch.

        Args:
            epoch: Its number, from 0.
            logs: A dict from metric to one value a row; what is masked is not
                known of a row.
            rows: Which member each row is.
            going: Which rows are being trained.
            kept: Which of them have not diverged in this epoch.

        Returns:
            Which rows are at their best, and which are to stop.
        """
        self._noted, names = epoch, sorted(logs)
        for row in np.flatnonzero(going):
            history = self.histories[rows[row]]
            values = {name: logs[name][row] for name in names}
            history.add(
                epoch,
                {
                    name: python_value(value)
                    for name, value in values.items()
                    if value is not np.ma.masked
                },
            )
            if not kept[row]:
                history.diverged_epoch = epoch
                values = [history.history[n][-1] for n in LOSSES if n in logs]
                history.diverged_value = next(
                    value for value in values if not np.isfinite(value)
                )
        improved = stops = np.zeros(len(rows), bool)
        if self._best:
            if self._is_unseen(self._best.monitor, epoch):
                improved = kept & self._keep_unseen
            else:
                improved = self._best.improved(epoch, logs) & kept
            for row in np.flatnonzero(improved):
                self.histories[rows[row]].best_epoch = epoch
        stopping = self._early_stopping
        if stopping and not self._is_unseen(stopping.tracker.monitor, epoch):
            better = stopping.tracker.improved(epoch, logs)
            stops = stopping.stops(epoch, logs, better) & kept
        return improved, stops

    def amend(self, noted: dict[int, dict[str, Any]]) -> None:
        """Notes more of the last epoch, for members by their number."""
        for k, values in noted.items():
            self.histories[k].amend(values)

    def revive(self, k: int) -> None:
        """Notes that a member that has diverged is trained after all.

        The epochs since then are the worst it has had.
        """
        member = self.histories[k]
        member.diverged_epoch = member.diverged_value = None
        unknown = {n: self._unknown(n, v) for n, v in member.history.items()}
        member.amend(unknown)
        for epoch in range(member.epoch[-1] + 1, self._noted + 1):
            member.add(
                epoch,
                {
                    name: value
                    for name, value in unknown.items()
                    if not self._is_unseen(name, epoch)
                },
            )

    def _unknown(self, name: str, values: list[Any]) -> Any:
        worst = np.nan
        if self._best and name == self._best.monitor:
            # The first value is the best to keras-tuner if it is not a number.
            worst = -self._best.sign * np.inf
        return python_value(np.full_like(values[-1], worst, dtype=float))

    def state(self) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        """Returns what is known of members, as JSON has it, and their best."""
        histories = [
            {
                "epoch": member.epoch,
                "history": {
                    name: np.array(values).tolist()
                    for name, values in member.history.items()
                },
                **{name: getattr(member, name) for name in _MARKS},
            }
            for member in self.histories
        ]
        return histories, self._best.state() if self._best else {}

    def restore(
        self, histories: list[dict[str, Any]], best: dict[str, np.ndarray]
    ) -> None:
        """Takes what `state` returned."""
        for member, known in zip(self.histories, histories, strict=True):
            member.epoch = known["epoch"]
            member.history = {
                name: [python_value(value) for value in values]
                for name, values in known["history"].items()
            }
            for name in _MARKS:
                setattr(member, name, known[name])
        if self._best:
            self._best.restore(best)

    def note_stopped(self, epoch: int, members: np.ndarray) -> None:
        """Notes that members will not be trained further."""
        for k in members:
            history = self.histories[k]
            trained = history.epoch and history.stopped_epoch is None
            if trained and epoch + 1 < self._epochs:
                history.stopped_epoch = epoch

    def take(self, rows: np.ndarray) -> None:
        """Leaves all but some rows out."""
        for tracker in (self._best, self._early_stopping):
            if tracker:
                tracker.take(rows)


_MARKS = ("best_epoch", "stopped_epoch", "diverged_epoch", "diverged_value")
# What must be finite for a member to go on.
LOSSES = ("loss", "val_loss")


def python_value(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else np.asarray(value)


def _callback(
    early_stopping: int | keras.callbacks.EarlyStopping | None, validates: bool
) -> keras.callbacks.EarlyStopping | None:
    if not isinstance(early_stopping, int):
        return early_stopping
    if early_stopping < 0:
        raise ValueError(
            "`early_stopping` of Population.fit must be a patience of at "
            f"least 0 epochs. Received: early_stopping={early_stopping}"
        )
    return keras.callbacks.EarlyStopping(
        "val_loss" if validates else "loss", patience=early_stopping
    )


def print_epoch(
    epoch: int, epochs: int, logs: dict[str, np.ndarray], size: int
) -> None:
    """Prints how the members fare, from the worst to the best."""
    numbers = ", ".join(
        f"{name} {np.nanmin(v):.4g} to {np.nanmax(v):.4g}"
        for name, v in ((n, np.asarray(logs[n])) for n in sorted(logs))
        if np.ndim(v) == 1 and np.isfinite(v).any()
    )
    print(f"Epoch {epoch + 1}/{epochs} of {size} members: {numbers}")
