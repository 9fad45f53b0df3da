"""Are trials with plain code of a user's own still trained as one program?"""

import logging

import keras
import pytest
from keras import layers, ops
from side_by_side import compiled, examples, search

from tfcourse.tuning import Caviar

log = logging.getLogger(__name__)


class Scale(layers.Layer):
    def __init__(self, units=3, **settings):
        super().__init__(**settings)
        self.units = units
        self.inner = layers.Dense(units, kernel_initializer="he_normal")

    def build(self, shape):
        self.inner.build(shape)
        self.gain = self.add_weight(shape=(self.units,), initializer="ones")

    def call(self, x):
        log.debug("called")
        return ops.tanh(self.inner(x)) * self.gain


class Written(keras.Model):
    def __init__(self):
        super().__init__()
        self.scale, self.out = Scale(4), layers.Dense(1)

    def call(self, x):
        return self.out(self.scale(x))


def distance(y, p):
    return ops.mean(ops.abs(y - p), axis=-1)


def sequential(hp):
    own = [Scale(4), layers.BatchNormalization(), layers.Dense(1)]
    return compiled(hp, *own, loss=distance, metrics=[distance, "mae"])


def written(hp):
    model = Written()
    model.compile(keras.optimizers.Adam(hp.Choice("rate", [0.05, 0.2])), "mse")
    return model


def with_two_outputs(hp):
    x = keras.Input((3,))
    outputs = [layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x)]
    model = keras.Model(x, outputs)
    rate = hp.Choice("rate", [0.05, 0.2])
    model.compile(keras.optimizers.SGD(rate), ["mse", "mae"])
    return model


def functional(hp):
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(1)(Scale(4)(x)))
    model.compile(keras.optimizers.SGD(hp.Choice("rate", [0.05, 0.2])), "mse")
    return model


@pytest.mark.parametrize(
    "build",
    [
        sequential,
        pytest.param(written, marks=pytest.mark.slow),
        pytest.param(functional, marks=pytest.mark.slow),
    ],
)
def test_trials_are_trained_together(tmp_path, build):
    tuner = search(Caviar, tmp_path, lambda: (build, examples(), {}))
    (group,) = tuner.groups
    assert (group["how"], group["why"]) == ("vectorised", "")


def test_trials_with_two_outputs_are_trained_together(tmp_path):
    x, y = examples()
    tuner = search(
        Caviar, tmp_path, lambda: (with_two_outputs, (x, [y, y]), {})
    )
    (group,) = tuner.groups
    assert (group["how"], group["why"]) == ("vectorised", "")
