"""Are layers, variables and parts made outside `build` the same after it?"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from side_by_side import (
    assert_close,
    assert_same,
    compiled,
    curves,
    examples,
)

from tfcourse.tuning import Caviar


def frozen(layer, shape):
    layer.build(shape)
    layer.trainable = False
    return layer


def frozen_dense():
    # keras-tuner counts names anew in each build: "dense" would be twice.
    return frozen(layers.Dense(4, "tanh", name="base"), (None, 3))


def frozen_batch_norm():
    layer = frozen(layers.BatchNormalization(), (None, 3))
    layer.moving_mean.assign([0.5, -0.5, 1.0])
    return layer


def frozen_network():
    base = keras.Sequential([keras.Input((3,)), layers.Dense(4, "relu")])
    base.trainable = False
    return base


def adapted_normalization():
    layer = layers.Normalization()
    layer.adapt(examples(40, seed=3)[0] * 2 + 1)
    return layer


def discretization():
    layer = layers.Discretization(num_bins=4)
    layer.adapt(examples(40, seed=3)[0])
    return keras.Sequential([keras.Input((3,)), layer, layers.Rescaling(0.25)])


def layer_with_a_variable():
    class Shifted(layers.Layer):
        def __init__(self):
            super().__init__()
            self.shift = keras.Variable([1.0, 2.0, 3.0], trainable=False)

        def call(self, x):
            return x + self.shift

    return Shifted()


def numpy_of(variables):
    return [keras.ops.convert_to_numpy(v).copy() for v in variables]


OWNED = [
    frozen_dense,
    frozen_batch_norm,
    frozen_network,
    adapted_normalization,
    discretization,
    layer_with_a_variable,
]


CASES = [
    pytest.param(
        make,
        functional,
        marks=[] if make is layer_with_a_variable else pytest.mark.slow,
        id=f"{make.__name__}-{'graph' if functional else 'stack'}",
    )
    for make in OWNED
    for functional in (False, True)
]


@pytest.mark.parametrize("make, functional", CASES)
def test_a_layer_of_the_users_is_as_before(tmp_path, make, functional):
    owned = []

    def case():
        layer = make()
        owned.append((layer, numpy_of(layer.variables)))

        def build(hp):
            if not functional:
                return compiled(hp, layer, layers.Dense(1))
            x = keras.Input((3,))
            model = keras.Model(x, layers.Dense(1)(layer(x)))
            rate = hp.Choice("learning_rate", [0.05, 0.2])
            model.compile(keras.optimizers.SGD(rate), "mse")
            return model

        return build, examples(), {}

    assert_same(tmp_path, case)
    for layer, before in owned:
        for now, then in zip(numpy_of(layer.variables), before, strict=True):
            np.testing.assert_array_equal(now, then)


@pytest.mark.slow
def test_a_layer_that_trials_train_is_trained_by_each(tmp_path):
    # As `model.fit` does it: the second goes on where the first ended.
    owned = []

    def case():
        layer = layers.Dense(4)
        layer.build((None, 3))
        owned.append(layer)
        return lambda hp: compiled(hp, layer, layers.Dense(1)), examples(), {}

    assert_same(tmp_path, case)
    ours, theirs = owned
    for a, b in zip(
        *map(numpy_of, (ours.weights, theirs.weights)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4)


def test_a_layer_that_one_trial_trains_is_found_by_the_next_as_left(tmp_path):
    def case():
        base = frozen_dense()
        base.kernel.assign(np.full((3, 4), 0.1))

        def build(hp):
            how = hp.Choice("base", ["frozen", "trained", "frozen again"])
            base.trainable = how == "trained"
            return compiled(hp, base, layers.Dense(1))

        return build, examples(), {}

    tuner = assert_same(tmp_path, case)
    alone = {i: g["why"] for g in tuner.groups for i in g["trials"]}
    assert len(alone) == 6
    assert sum("another trial trains" in why for why in alone.values()) == 4


@pytest.mark.slow
def test_a_generator_of_a_layer_goes_on_as_in_fit(tmp_path):
    def case():
        noise = layers.GaussianNoise(0.5, seed=3)
        return lambda hp: compiled(hp, noise, layers.Dense(1)), examples(), {}

    assert_same(tmp_path, case)


@pytest.mark.slow
def test_a_variable_of_a_loss_is_as_before(tmp_path):
    owned = []

    def case():
        scale = keras.Variable(2.0, trainable=False)
        owned.append(scale)

        def loss(y, p):
            return scale * keras.ops.mean(keras.ops.square(y - p), axis=-1)

        return (
            lambda hp: compiled(hp, layers.Dense(1), loss=loss),
            examples(),
            {},
        )

    assert_same(tmp_path, case)
    assert [float(scale) for scale in owned] == [2.0, 2.0]


def test_a_variable_that_the_loss_counts_in_counts_as_in_fit(tmp_path):
    owned = []

    def case():
        calls = tf.Variable(0.0)
        owned.append(calls)

        def loss(y, p):
            calls.assign_add(1.0)
            return keras.ops.mean(keras.ops.square(y - p), axis=-1) * calls

        return (
            lambda hp: compiled(hp, layers.Dense(1), loss=loss),
            examples(),
            {},
        )

    assert_same(tmp_path, case)
    assert float(owned[0]) == float(owned[1])


@pytest.mark.slow
@pytest.mark.parametrize("shared", ["optimizer", "metric", "initializer"])
def test_a_part_shared_by_models_does_as_in_fit(tmp_path, shared):
    def case():
        optimizer = keras.optimizers.SGD(0.1)
        metric = keras.metrics.MeanAbsoluteError(name="mae")
        initializer = keras.initializers.RandomNormal(seed=3)

        def build(hp):
            dense = {}
            if shared == "initializer":
                dense = {"kernel_initializer": initializer}
            model = compiled(hp, layers.Dense(1, **dense))
            if shared != "initializer":
                model.compile(
                    optimizer if shared == "optimizer" else model.optimizer,
                    "mse",
                    metrics=[metric] if shared == "metric" else None,
                )
            return model

        return build, examples(), {}

    assert_same(tmp_path, case)


def test_a_metric_of_the_users_is_counted_in_by_trials_only(tmp_path):
    metric = keras.metrics.MeanAbsoluteError(name="error")

    def build(hp):
        return compiled(hp, layers.Dense(1), metrics=[metric])

    tuner = Caviar(build, "loss", max_trials=1, directory=tmp_path)
    x, y = examples()
    tuner.search(x, y, shuffle=False, verbose=0)
    (trial,) = tuner.oracle.trials.values()
    found = curves(tuner, trial)["error"]
    metric.reset_state()
    keras.utils.set_random_seed(tuner.seed_of(trial))
    model = build(trial.hyperparameters)
    expected = model.fit(x, y, shuffle=False, verbose=0).history["error"]
    assert_close(found, expected, "error")
