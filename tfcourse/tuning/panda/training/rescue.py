"""Sees when a run goes wrong, and brings it back."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from tfcourse.tuning.panda.control.settable import Setting, rates_of
from tfcourse.tuning.panda.recovery.guard import Guard
from tfcourse.tuning.panda.state.model import loss_tracker, synchronize
from tfcourse.tuning.panda.training.run import PandaRun
from tfcourse.tuning.panda.training.steering import Steering

_LOG = logging.getLogger(__name__)


class Rescue:
    """Does for a run what its guard says.

    Args:
        run: The `PandaRun`.
        steering: Its `Steering`.
        guard: The `Guard`, or `None` for no rescue.
    """

    def __init__(
        self, run: PandaRun, steering: Steering, guard: Guard | None
    ) -> None:
        self._run = run
        self._steering = steering
        self._guard = guard
        # Whether the loss that is reported is the mean of the epoch so far.
        self._is_mean: bool | None = None
        # The steps of checkpoints that it will not trust again.
        self._doubtful: list[int] = []

    def trouble(self, logs: Mapping[str, float], new: int) -> str | None:
        """Returns what is wrong after `new` batches, or `None`."""
        monitor = self._run.monitor
        if monitor is None or "loss" not in logs:
            return None
        loss = float(logs["loss"])
        batch_loss = self._run.loss.of(loss, new)
        if self._is_mean is None and self._run.loss.batches > new:
            self._is_mean = self._agrees_with_the_mean(loss)
        # A `train_step` of one's own may report the batch's loss itself.
        loss = loss if self._is_mean is False else batch_loss
        return monitor.trouble(loss, new)

    def recover(self, trouble: str) -> None:
        """Goes back to the last good checkpoint, with a smaller rate."""
        run = self._run
        if self._guard is None:
            return
        if run.checkpoints.newest is None:
            self._give_up(trouble, "there is no checkpoint")
            return
        run.rescues += 1
        if run.rescues > self._guard.rollbacks:
            self._give_up(trouble, f"it went wrong {run.rescues} times")
            return
        self._drop_doubtful()
        target = run.checkpoints.newest
        rates = rates_of(run.settings)
        present = [rate.value for rate in rates]
        run.return_to(target, "guard", trouble)
        self._lower(rates, present, self._guard.learning_rate_factor, trouble)
        self._doubtful = [target.step, run.place.step]
        run.save(force=True)

    def _agrees_with_the_mean(self, loss: float) -> bool | None:
        if not np.isfinite(loss):
            return None
        synchronize(self._run.model)
        tracker = loss_tracker(self._run.model)
        return bool(tracker and np.isclose(float(tracker.result()), loss))

    def _lower(
        self,
        rates: Sequence[Setting],
        present: Sequence[float],
        factor: float,
        trouble: str,
    ) -> None:
        changes = {
            rate.name: factor * min(rate.value, value)
            for rate, value in zip(rates, present, strict=True)
        }
        if changes:
            self._steering.nudge(changes, "guard", trouble)
        else:
            why = "the learning rate follows a schedule that cannot be set"
            self._run.recorder.event("refuse", why, "guard")

    def _drop_doubtful(self) -> None:
        """Forgets the state that the run went wrong from twice in a row."""
        checkpoints = self._run.checkpoints
        for one in list(checkpoints.kept):
            if checkpoints.kept[-1].step > max(self._doubtful, default=-1):
                return
            if one.step in self._doubtful and len(checkpoints.kept) > 1:
                checkpoints.drop(one)

    def _give_up(self, trouble: str, reason: str) -> None:
        run = self._run
        newest = run.checkpoints.newest
        if newest:
            run.return_to(newest, "guard", trouble)
        run.state = "gave up"
        run.model.stop_training = True
        model = (
            f"The model is back at the last good checkpoint,  {newest}. "
            if newest
            else ""
        )
        report = (
            f"Panda stopped the run at step {run.place.step}: {trouble}; "
            f"{reason}. {model}Lower the learning rate, or look for bad data. "
            f"The journal is in {run.folder}."
        )
        run.recorder.event("give up", report, "guard")
        _LOG.warning(report)
