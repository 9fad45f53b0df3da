"""A run that goes on: its model, where it is, and what is kept of it."""

import logging
import pathlib
from typing import Any

import keras

from tfcourse.tuning.panda.control.settable import settings_of
from tfcourse.tuning.panda.journal.recorder import Place, Recorder
from tfcourse.tuning.panda.recovery.checkpoint_manager import CheckpointManager
from tfcourse.tuning.panda.recovery.checkpoints import (
    Checkpoint,
    CheckpointRing,
)
from tfcourse.tuning.panda.recovery.loss_monitor import BatchLoss, LossMonitor
from tfcourse.tuning.panda.recovery.replay import Replay, StreamCheck
from tfcourse.tuning.panda.state.fingerprint import fingerprint, require_same
from tfcourse.tuning.panda.state.random_generators import random_state
from tfcourse.tuning.panda.training.options import Options

_LOG = logging.getLogger(__name__)


class PandaRun:
    """What the parts of Panda share, and the steps that they are made of.

    Args:
        model: The model in `fit`.
        params: What `fit` says of itself: `epochs`, and `steps` of each.
        folder: The folder of the run.
        options: The `Options`.

    Attributes:
        state: `"running"`, `"paused"`, `"finished"`, `"stopped"`, `"gave up"`.
        place: The `Place`, which moves on.
        checkpoints: The `CheckpointRing`.
        settings: What can be set, a dict from name to `Setting`.
        recorder: Writes the journal.
        manager: Writes and restores checkpoints.
        monitor: The guard's `LossMonitor`, or `None`.
        loss: Computes the loss of a batch from the mean that Keras reports.
        stream: Finds out whether the data go on from epoch to epoch.
        replay: Draws data that were seen before a break, or `None`.
        logs: What `fit` reported last.
        best: Name and value of the best metric so far, or `None`.
        rescues: How often the guard went back since a person last did.
        random_state: What `random_state` gave as the epoch began.

    Raises:
        InputError: If the run in the folder is of another model.
    """

    def __init__(
        self,
        model: keras.Model,
        params: dict[str, Any],
        folder: pathlib.Path,
        options: Options,
    ) -> None:
        self.model = model
        self.params = params
        self.folder = folder
        self.state = "running"
        self.place = Place()
        self.checkpoints = CheckpointRing(folder / "checkpoints", options.keep)
        self.checkpoints.load()
        if self.checkpoints.newest and model.built:
            self.require_same_model(self.checkpoints.newest)
        self.settings = settings_of(model)
        self.recorder = Recorder(folder, self.place)
        self.manager = CheckpointManager(
            self.checkpoints, model, self.settings, self.recorder, options.share
        )
        guard = options.active_guard
        self.monitor = LossMonitor(guard) if guard else None
        self.loss = BatchLoss()
        self.stream = StreamCheck(model)
        self.replay: Replay | None = None
        self.logs: dict[str, float] = {}
        self.best: dict[str, Any] | None = None
        self.rescues = 0
        self.random_state = random_state()
        self._fingerprint: dict[str, Any] | None = None

    def count(self, batch: int) -> int:
        """Moves on to the end of a batch of this epoch.

        Args:
            batch: Its number, from 0.

        Returns:
            How many batches were done since the last call.
        """
        steps = self.params.get("steps")
        # With several steps an execution, the last may be short of some.
        done = min(batch + 1, steps) if steps else batch + 1
        new = done - self.place.batch
        self.place.batch += new
        self.place.step += new
        return new

    @property
    def has_whole_epoch(self) -> bool:
        """Whether the epoch that ends was not broken off."""
        if not self.model.stop_training:
            return True
        steps = self.params.get("steps")
        if steps is None:
            return self.state != "stopped"
        return self.place.batch >= steps

    def name_damage(self) -> None:
        """Says which checkpoints are lost, if any."""
        files = ", ".join(map(str, self.checkpoints.damaged))
        if files:
            why = (
                f"{files} cannot be read; the run continues from "
                f"{self.checkpoints.newest}"
            )
            _LOG.warning("Panda: %s.", why)
            self.recorder.event("damage", why)

    def require_same_model(self, checkpoint: Checkpoint) -> None:
        """Raises an `InputError` if a checkpoint is of another model."""
        require_same(checkpoint.meta["model"], self.model, self.folder)

    def save(self, best: bool = False, force: bool = False) -> str | None:
        """Writes a checkpoint if it is due; returns what is wrong, if any."""
        if not self.model.built or self.replay:
            return None
        if not (force or best or self.manager.is_due):
            return None
        written, trouble = self.manager.save(self._meta(), best, force)
        if written:
            self.publish()
        if trouble:
            self.recorder.event("no checkpoint", trouble)
        return trouble

    def restore(self, checkpoint: Checkpoint) -> None:
        """Gives the model, and what monitors it, an earlier state."""
        meta = self.manager.restore(checkpoint)
        self.loss.set_state(meta["loss"])
        # Checkpoints call the monitor's state by its earlier name.
        if self.monitor and meta["watch"]:
            self.monitor.set_state(meta["watch"])

    def return_to(self, checkpoint: Checkpoint, who: str, why: str) -> None:
        """Goes back to a checkpoint and says so; epochs and steps go on."""
        here = self.place.step
        self.restore(checkpoint)
        self.model.reset_metrics()
        self.loss.reset()
        self.recorder.event(
            "rollback", why, who, to=checkpoint.describe(), **{"from": here}
        )

    def publish(self) -> None:
        """Writes what other processes may want to know."""
        self.recorder.publish(
            state=self.state,
            epochs=self.params.get("epochs"),
            steps=self.params.get("steps"),
            place=vars(self.place),
            best=self.best,
            checkpoints=[one.describe() for one in self.checkpoints.kept],
            hyperparameters={
                name: {"value": one.value, "interval": one.interval}
                for name, one in self.settings.items()
            },
        )

    def finish(self) -> None:
        """Writes the last checkpoint, and that the run has ended."""
        newest = self.checkpoints.newest
        averaged = getattr(self.model.optimizer, "use_ema", False)
        # `fit` has put the averages in the place of the weights by now.
        if newest and newest.step < self.place.step and not averaged:
            self.save(force=True)
        if self.state == "running":
            self.state = "finished"
        self.recorder.event(self.state)
        self.publish()

    def _meta(self) -> dict[str, Any]:
        """Returns what a checkpoint holds besides the model's variables."""
        self._fingerprint = self._fingerprint or fingerprint(self.model)
        within = self.place.batch > 0
        random = random_state()
        return {
            **vars(self.place),
            "lines": self.recorder.lines,
            "seconds": self.recorder.seconds,
            "model": self._fingerprint,
            "loss": self.loss.get_state() if within else [0.0, 0],
            "watch": self.monitor and self.monitor.get_state(),
            "stream": self.stream.answer,
            "random": random,
            "random_at_epoch": self.random_state if within else random,
            "best": self.best,
            "logs": self.logs,
        }
