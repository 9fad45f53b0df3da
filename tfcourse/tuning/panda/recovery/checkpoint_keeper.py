"""Takes a model's state to the ring of checkpoints, and back."""

from tfcourse.tuning.panda import keras_state
from tfcourse.tuning.panda.recovery.checkpoints import TimeBudget

# Parameters of the largest model whose best state waits in memory.
_MOST_HELD = 10_000_000


class Keeper:
    """Saves and restores the whole state of a model in `fit`.

    Args:
        ring: The `CheckpointRing`.
        model: The model.
        settings: What `settings_of` returns.
        recorder: The `Recorder`, which tells what was written.
        share: Of the run's time, the largest share to take.
    """

    def __init__(self, ring, model, settings, recorder, share):
        self._ring = ring
        self._model = model
        self._settings = settings
        self._recorder = recorder
        self.budget = TimeBudget(share)
        self._known = {}
        self._held = None
        self._full = False

    @property
    def is_due(self):
        """Whether there is time for a checkpoint."""
        return self.budget.allows

    def save(self, meta, best=False, force=False):
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
            keras_state.synchronize(self._model)
            arrays = keras_state.read(self._variables(meta["batch"] > 0))
            bad = keras_state.first_not_finite(arrays)
            if bad:
                return False, f"{self._name(bad)} was not finite"
            written = self._write(arrays, meta, best)
            if best:
                self._held = None
            elif self._held:
                self._write_held()
            if written:
                self._recorder.event(
                    "checkpoint",
                    **written.describe(),
                    best=best,
                    duration=round(seconds(), 6),
                )
        return written is not None, None

    def restore(self, checkpoint):
        """Gives the model the state of a checkpoint, and returns its meta.

        The metrics get theirs in the middle of the same epoch only; elsewhere
        reset them.
        """
        keras_state.synchronize(self._model)
        arrays = checkpoint.arrays()
        has_metrics = any(name.startswith("metric/") for name in arrays)
        keras_state.assign(self._variables(has_metrics), arrays)
        return checkpoint.meta

    def _variables(self, metrics):
        if metrics not in self._known:
            self._known[metrics] = keras_state.variables_of(
                self._model, self._settings, metrics
            )
        return self._known[metrics]

    def _name(self, name):
        return getattr(self._known[False].get(name), "path", name)

    def _write(self, arrays, meta, best):
        try:
            written = self._ring.write(arrays, meta, best)
        except OSError as error:
            self._say_full(error)
            return None
        self._full = False
        return written

    def _say_full(self, error):
        # Once, and again after it has gone well between.
        if not self._full:
            self._recorder.event(
                "no checkpoint",
                why=f"it cannot be written: {error.strerror or error}; the "
                f"last good one is {self._ring.newest or 'none'}",
            )
        self._full = True

    def _hold(self, meta):
        """Remembers the best state until there is time to write it."""
        if self._model.count_params() <= _MOST_HELD:
            keras_state.synchronize(self._model)
            variables = self._variables(metrics=meta["batch"] > 0)
            self._held = keras_state.held(variables), meta

    def _write_held(self):
        (held, meta), self._held = self._held, None
        arrays = keras_state.read(held)
        if keras_state.first_not_finite(arrays):
            return
        try:
            self._ring.write_best(arrays, meta)
        except OSError as error:
            self._say_full(error)
