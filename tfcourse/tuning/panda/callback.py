"""Panda: one long run, babysat."""

import os
import pathlib
import weakref
from collections.abc import Mapping
from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.tuning.panda.control.run_folder import (
    acquire_lock,
    check_new_or_own,
)
from tfcourse.tuning.panda.recovery.guard import Guard
from tfcourse.tuning.panda.state.model import build_optimizer
from tfcourse.tuning.panda.state.random_generators import random_state
from tfcourse.tuning.panda.training.commands import Commands
from tfcourse.tuning.panda.training.gradient_norm import GradientNorm
from tfcourse.tuning.panda.training.options import Options, Policy
from tfcourse.tuning.panda.training.periods import Periods
from tfcourse.tuning.panda.training.rescue import Rescue
from tfcourse.tuning.panda.training.resume import resume_from
from tfcourse.tuning.panda.training.run import PandaRun
from tfcourse.tuning.panda.training.steering import Steering
from tfcourse.utils.keras_private import begin_at

# Who trains in a folder, by its resolved path. The lock is for processes.
_AT_WORK: weakref.WeakValueDictionary[pathlib.Path, "Panda"]
_AT_WORK = weakref.WeakValueDictionary()


class Panda(keras.callbacks.Callback):
    r"""Watches one long run, and lets you steer it while it trains.

    Give it to `fit` of any compiled model:

    ```python
    model.fit(x, y, epochs=1000, callbacks=[Panda("runs/digits")])
    ```

    *Journal.* One line of JSON per period in `journal.jsonl`; see
    `read_journal`.

    *Checkpoints.* The whole state (weights, optimizer, hyperparameters,
    metrics, random states, place in the data), each one file, whole or not
    there. The last `keep`, and apart the best by `monitor`. One is written at
    the end of a period, unless writing has taken more than `share` of the
    time so far; and always at the start, at the end, and after a command.

    *Guard.* When the loss or a weight is not finite, or the loss stays far
    above its average, the run goes back to the last good checkpoint with a
    smaller learning rate; see `Guard`. `fit` goes on counting its epochs.

    *Control.* `tfcourse panda` or `Remote` set hyperparameters, go back, pause
    and stop, from another process. Commands are looked for at the ends of
    batches, ten times a second at most.

    *Resume.* After `kill -9`, the same script continues from the last
    checkpoint in `run_dir`. The numbers then equal those of an unbroken run bit
    for bit, on one machine's CPU, if the data of an epoch are the same again
    when the epoch is: arrays of NumPy with `keras.utils.set_random_seed` in the
    script, a `tf.data.Dataset` without shuffling or with
    `reshuffle_each_iteration=False`, or a seeded `dataset.shuffle(n,
    seed).repeat()` with `steps_per_epoch`, whose batches are drawn again up to
    the place, without training. What draws from Python's and NumPy's global
    generators at the start of an epoch finds them as they were. A dataset that
    is shuffled anew for each epoch starts over with its first order.

    `keras.callbacks.BackupAndRestore` survives a crash too, but begins a
    broken epoch anew with the weights of its middle, keeps one checkpoint, and
    no random state: with dropout the numbers differ.

    Args:
        run_dir: The folder of the run. A run already in it is continued.
        period: `"epoch"`, or a whole number of batches.
        keep: How many checkpoints to keep, in [1, inf).
        guard: A `Guard`, `True` for one with its defaults, or `False`.
        monitor: The metric by which a checkpoint is the best; by default
            `val_loss`, or `loss` where there is none.
        mode: `"min"` or `"max"`; by default `"max"` for accuracies and the
            like, else `"min"`.
        policy: A function from the entries of the periods so far to a dict of
            nudges, called at the end of each; see `daily_nudge`.
        gradient_norm: Whether the journal has the Euclidean norm of the last
            batch's gradient. On TensorFlow only.
        share: Of the time of the run, the largest share that checkpoints may
            take, in (0, 1].

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If it lies outside its interval.
        InputError: By `fit`, if another process trains in `run_dir`, if the run
            in it is of another model, or if it holds files that Panda would
            overwrite but did not write.

    Example:

    >>> panda = Panda("runs/digits", keep=3, policy=daily_nudge)
    >>> history = model.fit(x, y, epochs=3, verbose=0, callbacks=[panda])
    >>> [e["epoch"] for e in read_journal("runs/digits") if "metrics" in e]
    [1, 2, 3]

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Hyperparameters tuning in
        practice: Pandas vs. Caviar.
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        period: str | int = "epoch",
        keep: int = 5,
        guard: Guard | bool = True,
        monitor: str | None = None,
        mode: str | None = None,
        policy: Policy | None = None,
        gradient_norm: bool = False,
        share: float = 0.02,
    ) -> None:
        super().__init__()
        self._options = Options(
            period, keep, guard, monitor, mode, policy, gradient_norm, share
        )
        self.run_dir = pathlib.Path(run_dir)
        self._gradient_norm = GradientNorm() if gradient_norm else None

    # What `fit` calls.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._check_alone()
        self._lock = acquire_lock(self.run_dir)
        try:
            self._begin()
        except BaseException:
            self._lock.release()
            raise

    def _check_alone(self) -> None:
        """Raises if this `fit` has another Panda with the same folder."""
        path = self.run_dir.resolve()
        other = _AT_WORK.get(path)
        # All callbacks of a `fit` have one dict.
        if other not in (None, self) and other.params is self.params:
            raise InputError(
                f"{self.run_dir} is given to two Pandas of one `fit`. Leave "
                "one out, or give each its own folder."
            )
        _AT_WORK[path] = self

    def _begin(self) -> None:
        check_new_or_own(self.run_dir)
        options, norm = self._options, self._gradient_norm
        run = PandaRun(self.model, self.params, self.run_dir, options)
        self._run = run
        self._steering = Steering(run)
        self._rescue = Rescue(run, self._steering, options.active_guard)
        self._periods = Periods(run, self._steering, options, norm)
        self._commands = Commands(run, self._steering)
        if self.model.built:
            build_optimizer(self.model)
        if norm:
            norm.attach(self.model)
        if run.checkpoints.newest:
            resume_from(run, run.checkpoints.newest)
        else:
            run.recorder.event("start")
            run.save(force=True)
        run.publish()

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        # Else the next `fit` of this model would begin here, too.
        begin_at(self.model, None)
        run = self._run
        run.place.epoch = epoch
        if run.replay is None:
            run.place.batch = 0
            run.loss.reset()
            run.random_state = random_state()
            run.stream.on_epoch_begin()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        run = self._run
        if run.replay:
            run.replay.on_batch_end()
            return
        logs = logs or {}
        new = run.count(batch)
        trouble = self._rescue.trouble(logs, new)
        if trouble:
            self._rescue.recover(trouble)
        elif run.checkpoints.newest is None:
            # The model had no variables before its first batch.
            run.save(force=True)
        elif self._periods.ends(new):
            self._end_period(logs)
        self._commands.look_if_due()

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if not self._run.has_whole_epoch:
            return
        place = self._run.place
        place.epoch = epoch + 1
        place.batch = 0
        is_last = place.epoch >= self.params.get("epochs", 0)
        self._end_period(logs or {}, is_last or self.model.stop_training)
        self._commands.look()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        begin_at(self.model, None)
        self._run.finish()
        if self._gradient_norm:
            self._gradient_norm.detach()
        self._lock.release()

    def _end_period(self, logs: dict[str, Any], force: bool = False) -> None:
        trouble = self._periods.end(logs, force)
        if trouble:
            self._rescue.recover(trouble)

    # What a script may do.

    def nudge(
        self,
        changes: Mapping[str, float],
        who: str = "script",
        why: str = "",
    ) -> str:
        """Sets hyperparameters while the model trains.

        Args:
            changes: A dict from name to value; see `tfcourse panda set`.
            who: For the journal.
            why: Likewise.

        Returns:
            A sentence that says what was done.

        Raises:
            InputError: If a name or value is wrong; lists what can be set.
        """
        return self._steering.nudge(changes, who, why)

    def roll_back(
        self,
        epoch: int | None = None,
        step: int | None = None,
        changes: Mapping[str, float] | None = None,
        who: str = "script",
        why: str = "",
    ) -> str:
        """Goes back to a checkpoint; `fit` goes on counting from here.

        Args:
            epoch: Which one, as a number of finished epochs; by default the
                newest.
            step: Which one, by the step instead.
            changes: What to set then, as for `nudge`.
            who: For the journal.
            why: Likewise.

        Returns:
            A sentence that says what was done.

        Raises:
            InputError: If it is not kept (lists those that are), or as by
                `nudge`. Nothing has changed then.
        """
        return self._steering.roll_back(epoch, step, changes, who, why)

    def pause(self, who: str = "script", why: str = "") -> str:
        """Pauses the run at the end of this batch, until `resume`."""
        return self._steering.pause(who, why)

    def resume(self, who: str = "script", why: str = "") -> str:
        """Ends a pause."""
        return self._steering.resume(who, why)

    def stop(self, who: str = "script", why: str = "") -> str:
        """Ends the run after a checkpoint, from which it can go on."""
        return self._steering.stop(who, why)

    @property
    def state(self) -> str:
        """`"running"`, `"paused"`, `"finished"`, `"stopped"`, `"gave up"`."""
        return self._run.state

    def restore_best(self) -> None:
        """Gives the model the state of its best checkpoint.

        If its file is damaged, the newest checkpoint is in its place.

        Raises:
            InputError: If there is none.
        """
        checkpoints = self._run.checkpoints
        best = checkpoints.best
        if best is None and checkpoints.damaged:
            best = checkpoints.newest
        if best is None:
            trouble = self._run.manager.trouble
            why = trouble and (trouble.strerror or trouble)
            raise InputError(
                f"There is no best checkpoint in {self.run_dir}"
                + (f", as none could be written: {why}." if why else ".")
            ) from trouble
        self._run.manager.restore(best)
