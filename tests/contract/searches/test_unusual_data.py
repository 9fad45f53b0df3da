"""Is what `model.fit` takes not refused before the first trial?"""

import keras
import keras_tuner
import numpy as np
import pytest
from keras import layers, ops
from side_by_side import assert_same, compiled, examples

from tfcourse.errors import InputError
from tfcourse.tuning.tuners.model_checks import check_fits

X, Y = examples(10)
SEQUENCES = np.zeros((10, 4, 3), "float32")
HOLES = np.where(X > 1, np.nan, X)
NO_TARGETS = np.where(np.arange(10)[:, None] == 4, np.nan, Y)
ADDED = np.ones((5, 3), "float32")
LABELS = np.where(np.arange(10) == 3, 255, np.arange(10) % 3)


def filled(hp):
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(1)(ops.nan_to_num(x)))
    model.compile(keras.optimizers.SGD(rate(hp)), "mse")
    return model


def rate(hp):
    return hp.Choice("learning_rate", [0.05, 0.2])


def of_five(hp, *given, shape=(3,)):
    model = keras.Sequential([keras.Input(batch_shape=(5, *shape)), *given])
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.SGD(rate(hp)), "mse")
    return model


def where_known(y, p):
    known = ~ops.isnan(y)
    return ops.mean(ops.square(ops.where(known, y - p, 0.0)), axis=-1)


IGNORED = keras.losses.SparseCategoricalCrossentropy(ignore_class=255)
TAKEN = {
    "NaN that is filled in": (filled, HOLES, Y),
    "infinity that is cut off": (
        lambda hp: compiled(hp, layers.ReLU(1.0), layers.Dense(1)),
        np.where(X > 1, np.inf, X),
        Y,
    ),
    "NaN for the user's own code": (
        lambda hp: compiled(
            hp, layers.Lambda(lambda x: ops.nan_to_num(x)), layers.Dense(1)
        ),
        HOLES,
        Y,
    ),
    "targets that the user's loss leaves out": (
        lambda hp: compiled(hp, layers.Dense(1), loss=where_known),
        X,
        NO_TARGETS,
    ),
    "a label that is ignored": (
        lambda hp: compiled(hp, layers.Dense(3, "softmax"), loss=IGNORED),
        X,
        LABELS,
    ),
    "a state for each of the batch": (
        lambda hp: of_five(hp, layers.GRU(2, stateful=True), shape=(4, 3)),
        SEQUENCES,
        Y,
    ),
    "a shape that is the batch's": (
        lambda hp: of_five(hp, layers.Lambda(lambda x: x + ADDED)),
        X,
        Y,
    ),
}


def checked(build, x, y):
    hp = keras_tuner.HyperParameters()
    data = {"x": x, "y": y}
    return check_fits(build, hp, build(hp), {"": data}, {"batch_size": 5})


@pytest.mark.parametrize("name", TAKEN)
def test_is_not_refused(name):
    checked(*TAKEN[name])


def test_nan_that_keras_fills_in_nowhere_is_refused():
    def build(hp):
        return compiled(hp, layers.Dense(1))

    with pytest.raises(InputError, match="first in row"):
        checked(build, HOLES, Y)
    with pytest.raises(InputError, match="y has a value"):
        checked(build, X, NO_TARGETS)


@pytest.mark.slow
@pytest.mark.parametrize("name", TAKEN)
def test_is_trained_as_by_fit(tmp_path, name):
    build, x, y = TAKEN[name]
    assert_same(tmp_path, lambda: (build, (x, y), {"batch_size": 5}))
