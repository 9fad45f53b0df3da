"""Has a trial its own value that neither the first nor the last one has?

Only those two are compared with Keras's own step.
"""

import keras
import pytest
from keras import ops
from side_by_side import assert_same, examples

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.structure import digest
from tfcourse.utils.keras_private import fresh_names


class Scaled(keras.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.start = keras.initializers.Constant(factor)

    def call(self, x):
        return x * self.start((1,))


class Settings:
    def __init__(self, name):
        self.name = name


class Named(keras.layers.Layer):
    def __init__(self, settings):
        super().__init__()
        self.settings = settings

    def call(self, x):
        return x * len(self.settings.name)


class NamedLoss(keras.losses.Loss):
    def call(self, y, p):
        return len(self.name) * ops.mean(ops.square(y - p), axis=-1)


class Gathering(keras.layers.Layer):
    """Uses what it has gathered only later than in the first step."""

    def build(self, shape):
        zeros = {"initializer": "zeros", "trainable": False}
        self.mean = self.add_weight(shape=(shape[-1],), **zeros)
        self.steps = self.add_weight(shape=(), **zeros)

    def call(self, x, training=None):
        if training:
            self.mean.assign(0.5 * self.mean + 0.5 * ops.mean(x, axis=0))
            self.steps.assign_add(1.0)
        return x - self.mean * ops.cast(self.steps > 2, x.dtype)


def model(rate, *layers, loss="mse", optimizer=None, name=None):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, name=name),
            *layers,
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer or keras.optimizers.SGD(rate), loss)
    return model


def initializer_in_a_call(rate, value):
    return model(rate, Scaled(value))


def name_of_an_object(rate, value):
    return model(rate, Named(Settings("n" * value)))


def name_of_a_loss(rate, value):
    return model(rate, loss=NamedLoss(name="n" * value))


def name_that_does_not_decay(rate, value):
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["nnn"])
    return model(rate, optimizer=optimizer, name="n" * value)


def iterator(rate, value):
    values = iter([value] * 9)
    return model(
        rate, loss=lambda y, p: next(values) * ops.mean(ops.square(y - p))
    )


BUILDS = [
    initializer_in_a_call,
    name_of_an_object,
    name_of_a_loss,
    name_that_does_not_decay,
]


@pytest.mark.parametrize("build", BUILDS)
def test_it_is_told_from_others(build):
    def structure(value):
        with fresh_names():
            return digest(build(0.1, value)).structure

    one, like, other = map(structure, [1, 1, 3])
    assert one == like
    assert one != other


def test_what_cannot_be_read_inside_a_function_is_not_overlooked():
    with pytest.raises(CannotVectorize, match="list_iterator"):
        digest(iterator(0.1, 1))


@pytest.mark.slow
@pytest.mark.parametrize("build", [*BUILDS, iterator])
def test_it_trains_with_its_own(tmp_path, build):
    def space(hp):
        i = hp.Choice("i", [0, 1, 2])
        return build([0.05, 0.1, 0.2][i], [1, 3, 1][i])

    assert_same(tmp_path, lambda: (space, examples(), {"batch_size": 4}))


@pytest.mark.slow
def test_what_a_layer_has_gathered_has_no_gradient(tmp_path):
    def space(hp):
        return model(hp.Choice("rate", [0.05, 0.1, 0.2]), Gathering())

    tuner = assert_same(tmp_path, lambda: (space, examples(), {}))
    assert tuner.groups[0]["how"].startswith("vectorised")
