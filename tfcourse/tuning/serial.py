"""Trials trained one after the other."""

import gc
import math
import time
import warnings

import keras
import keras_tuner
import numpy as np

from tfcourse.files import write_json


class SerialTuner(keras_tuner.Tuner):
    """A keras-tuner `Tuner` whose trials can be repeated and watched.

    Differs from `keras_tuner.Tuner`: each trial is seeded by the oracle's seed
    and its own number, so that it comes out the same whether or not the search
    was interrupted; a trial whose loss is not finite ends as failed and says in
    which epoch, where keras-tuner goes on training and may rank it; the
    learning curve and the time of each trial are kept beside its checkpoint,
    in `history.json`.

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
        seed = np.random.SeedSequence([self.oracle.seed, int(trial.trial_id)])
        keras.utils.set_random_seed(int(seed.generate_state(1)[0]))
        results = super().run_trial(
            trial,
            *args,
            callbacks=[*callbacks, keras.callbacks.TerminateOnNaN()],
            **kwargs,
        )
        # A `HyperModel.fit` of the user's may return a number or a dict.
        curves = getattr(results[0], "history", {})
        write_json(
            f"{self.get_trial_dir(trial.trial_id)}/history.json",
            {"seconds": time.monotonic() - started, "history": curves},
        )
        _refuse_divergence(curves)
        return results

    def load_model(self, trial):
        with warnings.catch_warnings():
            # A new optimizer has no slots yet, and needs none to predict.
            warnings.filterwarnings("ignore", "Skipping variable loading")
            return super().load_model(trial)

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        if self._on_trial:
            self._on_trial(self, self.oracle.get_trial(trial.trial_id))

    def save(self):
        if not self._is_worker():
            self.oracle.save()
        write_json(self._get_tuner_fname(), self.get_state())


def _refuse_divergence(curves):
    for epoch, loss in enumerate(curves.get("loss", ()), start=1):
        if not math.isfinite(loss):
            raise keras_tuner.errors.FailedTrialError(
                f"diverged: the loss was {loss} in epoch {epoch}"
            )
