"""Sees when a run goes wrong, and brings it back."""

import logging

import numpy as np

from tfcourse.tuning.panda import keras_state
from tfcourse.tuning.panda.control import settable

_LOG = logging.getLogger(__name__)


class Rescue:
    """Does for a run what its guard says.

    Args:
        run: The `Run`.
        steering: Its `Steering`.
        guard: The `Guard`, or `None` for no rescue.
    """

    def __init__(self, run, steering, guard):
        self._run = run
        self._steering = steering
        self._guard = guard
        # Whether the loss that is reported is the mean of the epoch so far.
        self._is_mean = None
        # The steps of checkpoints that it will not trust again.
        self._doubtful = []

    def trouble(self, logs, new):
        """Returns what is wrong after `new` batches, or `None`."""
        if self._guard is None or "loss" not in logs:
            return None
        loss = float(logs["loss"])
        batch_loss = self._run.loss.of(loss, new)
        if self._is_mean is None and self._run.loss.batches > new:
            self._is_mean = self._agrees_with_the_mean(loss)
        # A `train_step` of one's own may report the batch's loss itself.
        loss = loss if self._is_mean is False else batch_loss
        return self._run.watch.trouble(loss, new)

    def recover(self, trouble):
        """Goes back to the last good checkpoint, with a smaller rate."""
        run = self._run
        if self._guard is None:
            return
        if run.ring.newest is None:
            self._give_up(trouble, "there is no checkpoint")
            return
        run.rescues += 1
        if run.rescues > self._guard.rollbacks:
            self._give_up(trouble, f"it went wrong {run.rescues} times")
            return
        self._drop_doubtful()
        target = run.ring.newest
        rates = settable.rates_of(run.settings)
        present = [rate.value for rate in rates]
        run.return_to(target, "guard", trouble)
        self._lower(rates, present, trouble)
        self._doubtful = [target.step, run.place.step]
        run.save(force=True)

    def _agrees_with_the_mean(self, loss):
        if not np.isfinite(loss):
            return None
        keras_state.synchronize(self._run.model)
        tracker = keras_state.loss_tracker(self._run.model)
        return bool(tracker and np.isclose(float(tracker.result()), loss))

    def _lower(self, rates, present, trouble):
        factor = self._guard.learning_rate_factor
        changes = {
            rate.name: factor * min(rate.value, value)
            for rate, value in zip(rates, present, strict=True)
        }
        if changes:
            self._steering.nudge(changes, "guard", trouble)
        else:
            why = "the learning rate follows a schedule that cannot be set"
            self._run.recorder.event("refuse", why, "guard")

    def _drop_doubtful(self):
        """Forgets the state that the run went wrong from twice in a row."""
        ring = self._run.ring
        for one in list(ring.kept):
            if ring.newest.step > max(self._doubtful, default=-1):
                return
            if one.step in self._doubtful and len(ring.kept) > 1:
                ring.drop(one)

    def _give_up(self, trouble, reason):
        run = self._run
        newest = run.ring.newest
        if newest:
            run.return_to(newest, "guard", trouble)
        run.state = "gave up"
        run.model.stop_training = True
        model = (
            f"The model is that of the last good checkpoint, {newest}. "
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
