"""Trials trained one after the other."""

import gc
import math
import time
import warnings
import zlib

import keras
import keras_tuner
import numpy as np

from tfcourse.tuning._keras_tuner import TunerHooks, is_worker, tuner_path
from tfcourse.utils.atomic_files import write_json


class SerialTuner(TunerHooks):
    """A keras-tuner `Tuner` whose trials can be repeated and watched.

    Differs from `keras_tuner.Tuner`: each execution of a trial is seeded by
    the oracle's seed, the trial's number and its own, so that it comes out the
    same whether or not the search was interrupted; a trial whose loss is not
    finite ends as failed and says in which epoch, where keras-tuner goes on
    training and may rank it; the learning curve and the time of each trial are
    kept beside its checkpoint, in `history.json`.

    Args:
        oracle: A `keras_tuner.Oracle`.
        hypermodel: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        on_trial: Called with the tuner and the trial after each ended trial.
        **kwargs: Passed to `keras_tuner.Tuner`.
    """

    def __init__(self, oracle, hypermodel, *, on_trial=None, **kwargs):
        super().__init__(oracle, hypermodel, **kwargs)
        self._on_trial = on_trial

    def on_search_begin(self):
        # keras-tuner reloads a search only once its tuner has a file, which it
        # writes at the end of the first trial.
        self.save()
        # It also collects garbage twice a trial, which takes half a second
        # where all that was imported is looked through each time.
        gc.freeze()

    def search(self, *args, **kwargs):
        try:
            super().search(*args, **kwargs)
        finally:
            gc.unfreeze()

    def run_trial(self, trial, *args, callbacks=(), **kwargs):
        started = time.monotonic()
        self._execution = 0
        results = super().run_trial(
            trial,
            *args,
            callbacks=[*callbacks, keras.callbacks.TerminateOnNaN()],
            **kwargs,
        )
        # A `HyperModel.fit` of the user's may return a number or a dict.
        curves = [getattr(result, "history", {}) for result in results]
        write_json(
            self.history_file_of(trial),
            history_of(
                time.monotonic() - started,
                curves[best_execution(curves, self.oracle.objective)],
            ),
        )
        for curve in curves:
            _refuse_divergence(curve)
        return results

    def on_execution_begin(self, trial):
        keras.utils.set_random_seed(self.seed_of(trial, self._execution))
        self._execution += 1

    def seed_of(self, trial, execution=0):
        """Returns the seed of one of a trial's executions."""
        name = trial.trial_id
        number = int(name) if name.isdecimal() else zlib.crc32(name.encode())
        seed = np.random.SeedSequence([self.oracle.seed, number, execution])
        return int(seed.generate_state(1)[0])

    def history_file_of(self, trial):
        return f"{self.get_trial_dir(trial.trial_id)}/history.json"

    def load_model(self, trial):
        with warnings.catch_warnings():
            # A new optimizer has no slots yet, and needs none to predict.
            warnings.filterwarnings("ignore", "Skipping variable loading")
            # As at the beginning of a search.
            gc.freeze()
            try:
                return super().load_model(trial)
            finally:
                gc.unfreeze()

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        self._tell(trial)

    def _tell(self, trial):
        if self._on_trial:
            self._on_trial(self, self.oracle.get_trial(trial.trial_id))

    def save(self):
        if not is_worker(self):
            self.oracle.save()
        write_json(tuner_path(self), self.get_state())


def history_of(seconds, curve):
    """Returns what `history.json` says of a trial."""
    return {"seconds": seconds, "history": curve}


def best_execution(curves, objective):
    """Returns the number of the curve with the best epoch, whose weights are
    kept: the first one if the curves do not tell.

    Args:
        curves: A list of dicts from metric to its values, one an epoch.
        objective: A `keras_tuner.Objective`.
    """
    sign = 1 if objective.direction == "max" else -1

    def best(n):
        values = sign * np.array(curves[n].get(objective.name, [math.nan]))
        return -math.inf if np.isnan(values).all() else np.nanmax(values)

    return max(range(len(curves)), key=best)


def _refuse_divergence(curves):
    for epoch, loss in enumerate(curves.get("loss", ()), start=1):
        if not math.isfinite(loss):
            raise keras_tuner.errors.FailedTrialError(
                f"diverged: the loss was {loss} in epoch {epoch}"
            )
