"""What code draws or counts in Python while it is traced, and in variables."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from side_by_side import assert_same, model_of_one_weight, squares


def times(read):
    return model_of_one_weight(lambda y, p: read() * squares(y, p))


def value_of(hp):
    return hp.Choice("w", [1.0, 3.0])


def drawn_by_python(hp):
    value_of(hp)
    return times(lambda: 1.0 + random.random())


def drawn_by_numpy(hp):
    value_of(hp)
    return times(lambda: 1.0 + np.random.random())


def drawn_by_a_generator(hp):
    value_of(hp)
    generator = np.random.default_rng(3)
    return times(lambda: 1.0 + generator.random())


def drawn_by_keras(hp):
    value_of(hp)
    return times(lambda: 1.0 + keras.random.uniform(()))


def drawn_from_a_seed_generator(hp):
    value_of(hp)
    seed = keras.random.SeedGenerator(3)
    return times(lambda: 1.0 + keras.random.uniform((), seed=seed))


def drawn_by_tensorflow(hp):
    value_of(hp)
    return times(lambda: 1.0 + tf.random.uniform(()))


def drawn_by_a_python_function(hp):
    value_of(hp)

    def draw():
        return np.float32(1.0 + np.random.random())

    def read():
        return tf.ensure_shape(tf.numpy_function(draw, [], tf.float32), [])

    return times(read)


class DrawsInBuild(keras.layers.Layer):
    def build(self, shape):
        self.w = float(np.random.random())

    def call(self, x):
        return x + self.w


def drawn_by_the_build_of_a_layer(hp):
    value_of(hp)
    return model_of_one_weight(layers=[DrawsInBuild()])


@keras.saving.register_keras_serializable("tests_hidden")
class Draws(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None, **kwargs):
        return keras.random.normal(shape, dtype=dtype)


def drawn_by_a_users_initializer(hp):
    value_of(hp)
    return model_of_one_weight(kernel_initializer=Draws())


def drawn_from_a_shared_generator():
    seed = keras.random.SeedGenerator(3)

    def build(hp):
        value_of(hp)
        start = keras.initializers.RandomNormal(seed=seed)
        return model_of_one_weight(kernel_initializer=start)

    return build


def counted_in_a_list():
    calls = []

    def build(hp):
        value = value_of(hp)
        del calls[:]

        def loss(y, p):
            calls.append(value)
            return sum(calls) * squares(y, p)

        return model_of_one_weight(loss)

    return build


def counted_in_a_variable(hp):
    value_of(hp)
    count = keras.Variable(0.0, trainable=False)

    def loss(y, p):
        count.assign_add(1.0)
        return count * squares(y, p)

    return model_of_one_weight(loss)


class Ramp(keras.metrics.Metric):
    """Is not reset before the first epoch."""

    def __init__(self):
        super().__init__(name="ramp")
        self.count = self.add_variable((), "ones", name="count")

    def update_state(self, y, p, sample_weight=None):
        self.count.assign_add(1.0)

    def result(self):
        return self.count


def a_metric_that_begins_elsewhere(hp):
    value_of(hp)
    return model_of_one_weight(metrics=[Ramp()])


def the_name_of_a_metric(hp):
    name = f"error_{int(value_of(hp))}_of_two"
    metric = keras.metrics.MeanSquaredError(name=name)
    return model_of_one_weight(metrics=[metric])


DRAWN = [
    drawn_by_python,
    drawn_by_numpy,
    drawn_by_a_generator,
    drawn_by_keras,
    drawn_from_a_seed_generator,
    drawn_by_tensorflow,
    drawn_by_a_python_function,
    drawn_by_the_build_of_a_layer,
    drawn_by_a_users_initializer,
    drawn_from_a_shared_generator,
    counted_in_a_list,
    counted_in_a_variable,
    a_metric_that_begins_elsewhere,
    the_name_of_a_metric,
]


QUICK = [drawn_by_numpy, counted_in_a_variable]
CASES = [
    pytest.param(
        space,
        marks=[] if space in QUICK else pytest.mark.slow,
        id=space.__name__,
    )
    for space in DRAWN
]


@pytest.mark.parametrize("space", CASES)
def test_what_is_drawn_or_counted_is_as_in_fit(tmp_path, space):
    def case():
        build = space if space.__code__.co_argcount else space()
        ones = np.ones((4, 1), "float32")
        return build, (ones, ones), {"epochs": 2, "batch_size": 2}

    assert_same(tmp_path, case)
