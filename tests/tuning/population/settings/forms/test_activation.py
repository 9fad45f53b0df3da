"""Activations: does each member compute with its own?"""

import keras
import numpy as np
import pytest
from keras import layers
from side_by_side import assert_same, assert_together, chain_of

from tfcourse.tuning.population.settings.forms.activation import (
    FUNCTIONS,
    ChosenActivation,
)


def test_activations_of_layers(tmp_path):
    def layers_of(hp):
        name = hp.Choice("name", ["relu", "tanh", "leaky"])
        slope = layers.LeakyReLU(0.2)
        own = {"leaky": slope}.get(name, name)
        # As an attribute, and as a layer of its own.
        alone = slope if name == "leaky" else layers.Activation(name)
        return [layers.Dense(6, activation=own), layers.Dense(6), alone]

    assert_together(tmp_path, chain_of(layers_of))


@pytest.mark.slow
def test_all_functions(tmp_path):
    # Of the others a supernet does not know what zeros become: they are apart.
    apart = {"linear", "log_softmax", "softmax", "sparsemax"}
    names = sorted(set(FUNCTIONS.values()) - apart)

    def layers_of(hp):
        return [layers.Dense(6, hp.Choice("name", names))]

    assert_together(tmp_path, chain_of(layers_of))


@pytest.mark.slow
def test_rare_functions(tmp_path):
    """One that Keras cannot call takes no other with it."""
    rare = ["hard_shrink", "threshold", "squareplus", "tanh_shrink"]

    def layers_of(hp):
        return [layers.Dense(6, hp.Choice("name", rare)), layers.Dense(2)]

    tuner = assert_same(tmp_path, chain_of(layers_of))
    trials = tuner.oracle.trials
    failed = {n for n, trial in trials.items() if trial.status != "COMPLETED"}
    assert [trials[n].hyperparameters.get("name") for n in failed] == [rare[1]]
    sizes = {len(g["trials"]): g["how"] for g in tuner.groups}
    assert sizes == {3: "vectorised", 1: "alone"}


@pytest.mark.slow
def test_layers_that_are_activations(tmp_path):
    layer_of = {
        "leaky": lambda: layers.LeakyReLU(0.2),
        "steep": lambda: layers.LeakyReLU(1.5),
        "flat": lambda: layers.LeakyReLU(0.0),
        "elu": lambda: layers.ELU(0.3),
        "relu": layers.ReLU,
        "clipped": lambda: layers.ReLU(1.0, negative_slope=0.1, threshold=0.2),
        "silu": lambda: layers.Activation("silu"),
    }

    def layers_of(hp):
        name = hp.Choice("name", list(layer_of))
        return [layers.Dense(6), layer_of[name]()]

    assert_together(tmp_path, chain_of(layers_of))


@pytest.mark.slow
def test_what_a_loss_looks_behind_is_apart(tmp_path):
    def case():
        x = np.random.default_rng(0).normal(size=(10, 3)).astype("float32")
        y = (x[:, :1] > 0).astype("float32")

        def space(hp):
            name = hp.Choice("name", ["sigmoid", "hard_sigmoid", "relu"])
            # A layer that gives back its inputs does not hide them.
            model = keras.Sequential(
                [
                    keras.Input((3,)),
                    layers.Dense(1, name, bias_initializer="ones"),
                    layers.Dropout(0.5),
                ]
            )
            model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
            return model

        return space, (x, y), {}

    tuner = assert_same(tmp_path, case)
    assert sorted(len(group["trials"]) for group in tuner.groups) == [1, 2]


def test_a_function_of_others_does_no_harm():
    functions = [keras.activations.relu, keras.activations.exponential]

    class Choice:
        def is_own(self, kind):
            return keras.ops.convert_to_tensor(kind == 0)

        def select(self, results):
            return keras.ops.where(self.is_own(1), results[1], results[0])

    x = keras.Variable([1000.0, -1.0])
    if keras.config.backend() != "tensorflow":
        pytest.skip("takes the gradient by TensorFlow")
    import tensorflow as tf

    with tf.GradientTape() as tape:
        y = ChosenActivation(functions, Choice())(x.value)
    # Of the other one it would be infinite times zero.
    np.testing.assert_array_equal(tape.gradient(y, x.value), [1.0, 0.0])
