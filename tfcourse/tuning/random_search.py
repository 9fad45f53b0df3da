"""Random search with seeds that mean what they say."""

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import TrialStatus

from tfcourse.tuning.crash_safe import CrashSafeOracle

# Draws of a trial that was already tried before the space counts as used up:
# keras-tuner's 20 miss the last of ten points once in eight times.
_ATTEMPTS = 1000


class RandomSearchOracle(CrashSafeOracle):
    """Draws each trial at random, on each hyperparameter's own scale.

    Differs from `keras_tuner.oracles.RandomSearchOracle`: that one takes
    `seed=0` for no seed, and with d hyperparameters its seeds s and s + d draw
    the same trials, shifted by one. Here trial i of a seed in a space is always
    the same, also after a crash; a trial that was tried before is drawn anew.

    Args:
        objective: Name of the metric, or a `keras_tuner.Objective`.
        max_trials: How many trials to draw. A space with fewer points ends the
            search earlier.
        seed: An integer of 0 or more.
        **kwargs: Passed to `keras_tuner.Oracle`.

    Raises:
        ValueError: If `seed` is not an integer of 0 or more.
    """

    def __init__(self, objective=None, max_trials=10, seed=0, **kwargs):
        if not isinstance(seed, int) or seed < 0:
            raise ValueError(
                f"`seed` must be an integer of 0 or more. Received: {seed!r}"
            )
        super().__init__(
            objective=objective,
            max_trials=max_trials,
            **{
                "max_consecutive_failed_trials": max_trials + 1,
                **kwargs,
            },
        )
        # Set here because keras-tuner takes 0 for none.
        self.seed = seed

    def populate_space(self, trial_id):
        for attempt in range(_ATTEMPTS):
            rng = np.random.default_rng([self.seed, int(trial_id), attempt])
            values = self._draw(rng)
            if not self._duplicate(values):
                return {"status": TrialStatus.RUNNING, "values": values}
        return {"status": TrialStatus.STOPPED, "values": None}

    def _draw(self, rng):
        hp = keras_tuner.HyperParameters()
        for parameter in self.hyperparameters.space:
            # One draw each, active or not, so that the others do not shift.
            probability = rng.uniform()
            hp.merge([parameter])
            if hp.is_active(parameter):
                hp.values[parameter.name] = parameter.prob_to_value(probability)
        return hp.values
