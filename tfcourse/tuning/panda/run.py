"""A run that goes on: its model, where it is, and what is kept of it."""

from tfcourse.tuning.panda import keras_state
from tfcourse.tuning.panda.control import settable
from tfcourse.tuning.panda.journal.recorder import Place, Recorder
from tfcourse.tuning.panda.recovery.checkpoint_keeper import Keeper
from tfcourse.tuning.panda.recovery.checkpoints import CheckpointRing
from tfcourse.tuning.panda.recovery.guard import BatchLoss, LossMonitor
from tfcourse.tuning.panda.recovery.replay import StreamCheck


class Run:
    """What the parts of Panda share, and the steps that they are made of.

    Args:
        model: The model in `fit`.
        params: What `fit` says of itself: `epochs`, and `steps` of each.
        folder: The folder of the run.
        options: The `Options`.

    Attributes:
        state: `"running"`, `"paused"`, `"finished"`, `"stopped"`, `"gave up"`.
        place: The `Place`, which moves on.
        ring: The checkpoints.
        settings: What can be set, a dict from name to `Setting`.
        recorder: Writes the journal.
        keeper: Writes and restores checkpoints.
        watch: What the guard looks with, or `None`.
        loss: Tells the loss of a batch from the mean that Keras reports.
        stream: Finds out whether the data go on from epoch to epoch.
        replay: Draws data that were seen before a break, or `None`.
        logs: What `fit` reported last.
        best: Name and value of the best metric so far, or `None`.
        rescues: How often the guard went back since a person last did.
        random_state: What `random_state` gave as the epoch began.

    Raises:
        InputError: If the run in the folder is of another model.
    """

    def __init__(self, model, params, folder, options):
        self.model = model
        self.params = params
        self.folder = folder
        self.state = "running"
        self.place = Place()
        self.ring = CheckpointRing(folder / "checkpoints", options.keep)
        self.ring.load()
        if self.ring.newest and model.built:
            self.require_same_model(self.ring.newest)
        self.settings = settable.settings_of(model)
        self.recorder = Recorder(folder, self.place)
        self.keeper = Keeper(
            self.ring, model, self.settings, self.recorder, options.share
        )
        self.watch = LossMonitor(options.guard) if options.guard else None
        self.loss = BatchLoss()
        self.stream = StreamCheck(model)
        self.replay = None
        self.logs = {}
        self.best = None
        self.rescues = 0
        self.random_state = keras_state.random_state()
        self._fingerprint = None

    def require_same_model(self, checkpoint):
        """Raises an `InputError` if a checkpoint is of another model."""
        known = checkpoint.meta["model"]
        keras_state.require_same(known, self.model, self.folder)

    def save(self, best=False, force=False):
        """Writes a checkpoint if it is due; returns what is wrong, if any."""
        if not self.model.built or self.replay:
            return None
        meta = self._meta() if force or best or self.keeper.is_due else None
        written, trouble = self.keeper.save(meta, best, force)
        if written:
            self.publish()
        if trouble:
            self.recorder.event("no checkpoint", trouble)
        return trouble

    def restore(self, checkpoint):
        """Gives the model, and what watches it, an earlier state."""
        meta = self.keeper.restore(checkpoint)
        self.loss.set_state(meta["loss"])
        if self.watch and meta["watch"]:
            self.watch.set_state(meta["watch"])

    def return_to(self, checkpoint, who, why):
        """Goes back to a checkpoint and says so; epochs and steps go on."""
        here = self.place.step
        self.restore(checkpoint)
        self.model.reset_metrics()
        self.loss.reset()
        self.recorder.event(
            "rollback", why, who, to=checkpoint.describe(), **{"from": here}
        )

    def publish(self):
        """Writes what other processes may want to know."""
        self.recorder.publish(
            state=self.state,
            epochs=self.params.get("epochs"),
            steps=self.params.get("steps"),
            place=vars(self.place),
            best=self.best,
            checkpoints=[one.describe() for one in self.ring.kept],
            hyperparameters={
                name: {"value": one.value, "interval": one.interval}
                for name, one in self.settings.items()
            },
        )

    def _meta(self):
        """Returns what a checkpoint holds besides the model's variables."""
        self._fingerprint = self._fingerprint or keras_state.fingerprint(
            self.model
        )
        within = self.place.batch > 0
        random = keras_state.random_state()
        return {
            **vars(self.place),
            "lines": self.recorder.lines,
            "seconds": self.recorder.seconds,
            "model": self._fingerprint,
            "loss": self.loss.get_state() if within else [0.0, 0],
            "watch": self.watch and self.watch.get_state(),
            "stream": self.stream.answer,
            "random": random,
            "random_at_epoch": self.random_state if within else random,
            "best": self.best,
            "logs": self.logs,
        }
