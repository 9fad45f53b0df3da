"""Are trials with other learning rates, and other schedules, right?"""

import keras
import numpy as np
import pytest
from keras import layers
from keras.optimizers import SGD, Adam, schedules
from marks import slow_but
from side_by_side import assert_same, examples

from tfcourse.optimizers import Momentum
from tfcourse.schedules import InverseTimeDecay


class HalvedRate(schedules.LearningRateSchedule):
    """A user's own, which Keras cannot save."""

    def __init__(self, first):
        self.first = first

    def __call__(self, step):
        return self.first * 0.5 ** keras.ops.cast(step, "float32")


class Warmed(schedules.ExponentialDecay):
    """One of Keras's, changed."""

    def __call__(self, step):
        done = keras.ops.cast(step, "float32") / 4
        return super().__call__(step) * keras.ops.minimum(done, 1.0)


RATES = {
    "a float or a decay": {
        "a": lambda: SGD(0.05),
        "b": lambda: SGD(schedules.ExponentialDecay(0.1, 3, 0.5)),
        "c": lambda: SGD(schedules.ExponentialDecay(0.2, 2, 0.7)),
    },
    "several kinds of decay": {
        "a": lambda: Adam(schedules.CosineDecay(0.1, 6)),
        "b": lambda: Adam(schedules.PiecewiseConstantDecay([2], [0.1, 0.01])),
        "c": lambda: Momentum(InverseTimeDecay(0.1, 0.5, 2)),
    },
    "a user's own": {
        "a": lambda: SGD(0.05),
        "b": lambda: SGD(HalvedRate(0.1)),
        "c": lambda: SGD(HalvedRate(0.2)),
    },
    "a user's own of Keras's": {
        "a": lambda: Adam(Warmed(0.1, 3, 0.5)),
        "b": lambda: SGD(Warmed(0.1, 3, 0.7)),
    },
    "a function": {"a": lambda: SGD(0.05), "b": lambda: SGD(lambda: 0.02)},
}
QUICK = ["a float or a decay", "a user's own"]


@pytest.mark.parametrize("name", slow_but(RATES, QUICK))
def test_other_schedules_are_trained_together(tmp_path, name):
    def build(hp):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
        optimizer = hp.Choice("rate", list(RATES[name]))
        model.compile(RATES[name][optimizer](), "mse")
        return model

    tuner = assert_same(
        tmp_path, lambda: (build, examples(), {"batch_size": 4})
    )
    (group,) = tuner.groups
    assert (group["how"], group["why"]) == ("vectorised", "")
    scores = [trial.score for trial in tuner.oracle.trials.values()]
    assert len(np.unique(scores)) == len(RATES[name])
