"""Takes a model's state to the ring of checkpoints, and back."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.panda.control.settable import Setting
from tfcourse.tuning.panda.journal.recorder import Recorder
from tfcourse.tuning.panda.recovery.checkpoints import (
    Checkpoint,
    CheckpointRing,
)
from tfcourse.tuning.panda.recovery.time_budget import TimeBudget
from tfcourse.tuning.panda.state.model import synchronize
from tfcourse.tuning.panda.state.variables import (
    assign,
    copies,
    first_not_finite,
    read,
    variables_of,
)

# Parameters of the largest model whose best state waits in memory.
_MOST_HELD = 10_000_000


class CheckpointManager:
    """Saves and restores the whole state of a model in `fit`.

    Args:
        checkpoints: The `CheckpointRing`.
        model: The model.
        settings: What `settings_of` returns.
        recorder: The `Recorder`, which notes what was written.
        share: Of the run's time, the largest share to take.
    """

    def __init__(
        self,
        checkpoints: CheckpointRing,
        model: keras.Model,
        settings: Mapping[str, Setting],
        recorder: Recorder,
        share: float,
    ) -> None:
        self._checkpoints = checkpoints
        self._model = model
        self._settings = {
            name: setting.variable for name, setting in settings.items()
        }
        self._recorder = recorder
        self.budget = TimeBudget(share)
        self._known: dict[bool, dict[str, keras.Variable]] = {}
        self._held: tuple[dict[str, Any], dict[str, Any]] | None = None
        self._full = False
        self.trouble: OSError | None = None

    @property
    def is_due(self) -> bool:
        """Whether there is time for a checkpoint."""
        return self.budget.allows

    def save(
        self, meta: dict[str, Any], best: bool = False, force: bool = False
    ) -> tuple[bool, str | None]:
        """Writes a checkpoint if it is due.

        Args:
            meta: What else belongs to the state, a dict for JSON.
            best: Whether it is the best so far.
            force: Whether it is due in any case.

        Returns:
            Whether one was written, and what is wrong with the state, a
            sentence or `None`.
        """
        if not (force or self.is_due):
            if best:
                self._hold(meta)
            return False, None
        with self.budget.counted() as seconds:
            synchronize(self._model)
            arrays = read(self._variables(meta["batch"] > 0))
            bad = first_not_finite(arrays)
            if bad:
                return False, f"{self._name(bad)} was not finite"
            written = self._write(arrays, meta, best)
            if best:
                self._held = None
            elif self._held:
                self._write_held(*self._held)
            if written:
                self._recorder.event(
                    "checkpoint",
                    **written.describe(),
                    best=best,
                    duration=round(seconds(), 6),
                )
        return written is not None, None

    def restore(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """Gives the model the state of a checkpoint, and returns its meta.

        The metrics get theirs in the middle of the same epoch only; elsewhere
        reset them.
        """
        synchronize(self._model)
        arrays = checkpoint.arrays()
        has_metrics = any(name.startswith("metric/") for name in arrays)
        assign(self._variables(has_metrics), arrays)
        return checkpoint.meta

    def _variables(self, metrics: bool) -> dict[str, keras.Variable]:
        if metrics not in self._known:
            self._known[metrics] = variables_of(
                self._model, self._settings, metrics
            )
        return self._known[metrics]

    def _name(self, name: str) -> str:
        return getattr(self._known[False].get(name), "path", name)

    def _write(
        self, arrays: dict[str, np.ndarray], meta: dict[str, Any], best: bool
    ) -> Checkpoint | None:
        try:
            written = self._checkpoints.write(arrays, meta, best)
        except OSError as error:
            self._say_full(error)
            return None
        self._full = False
        return written

    def _say_full(self, error: OSError) -> None:
        # Once, and again after it has gone well between.
        if not self._full:
            self._recorder.event(
                "no checkpoint",
                why=f"it cannot be written: {error.strerror or error}; the "
                f"last good one is {self._checkpoints.newest or 'none'}",
            )
        self._full = True
        self.trouble = error

    def _hold(self, meta: dict[str, Any]) -> None:
        """Remembers the best state until there is time to write it."""
        if self._model.count_params() <= _MOST_HELD:
            synchronize(self._model)
            variables = self._variables(metrics=meta["batch"] > 0)
            self._held = copies(variables), meta

    def _write_held(self, held: dict[str, Any], meta: dict[str, Any]) -> None:
        self._held = None
        arrays = read(held)
        if first_not_finite(arrays):
            return
        try:
            self._checkpoints.write_best(arrays, meta)
        except OSError as error:
            self._say_full(error)
