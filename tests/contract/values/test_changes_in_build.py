"""Does what `build` changes of a built model go for its own trial only?"""

import keras
import numpy as np
import pytest
from keras import layers, ops
from side_by_side import assert_same, examples

START = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(1)])


def of_chain(*parts):
    return keras.Sequential([keras.Input((3,)), *parts])


def of_graph(*parts):
    x = out = keras.Input((3,))
    for part in parts:
        out = part(out)
    return keras.Model(x, out)


def first(model):
    """Returns the first layer with weights."""
    return next(layer for layer in model.layers if layer.weights)


def build_optimizer(model):
    model.optimizer.build(model.trainable_variables)
    for variable in model.optimizer.variables[2:]:
        variable.assign(variable + 0.5)


CHANGES = {
    "all weights": lambda model: model.set_weights(
        [np.full(w.shape, 0.2) for w in model.get_weights()]
    ),
    "each weight": lambda model: [
        weight.assign(0.3 * ops.ones_like(weight)) for weight in model.weights
    ],
    "those of a layer": lambda model: model.layers[-2].set_weights(
        START.layers[0].get_weights()
    ),
    "a bias": lambda model: model.layers[-2].bias.assign_add(ops.ones(4)),
    "a frozen variable": lambda model: setattr(
        first(model).kernel, "trainable", False
    ),
    "a regularizer of a variable": lambda model: setattr(
        first(model).kernel, "regularizer", keras.regularizers.L2(0.3)
    ),
    "a constraint of a variable": lambda model: setattr(
        first(model).kernel, "constraint", keras.constraints.MaxNorm(0.3)
    ),
    "a gradient for a value": lambda model: setattr(
        first(model).bias, "overwrite_with_gradient", True
    ),
    "a regularizer too late": lambda model: setattr(
        model.layers[-2], "kernel_regularizer", keras.regularizers.L2(0.3)
    ),
    "a constraint too late": lambda model: setattr(
        model.layers[-2], "kernel_constraint", keras.constraints.MaxNorm(0.3)
    ),
    "an initializer too late": lambda model: setattr(
        model.layers[-2], "kernel_initializer", keras.initializers.Ones()
    ),
    "a count of steps": lambda model: model.optimizer.iterations.assign(7),
    "the optimizer's": build_optimizer,
}
QUICK = "a regularizer too late", "all weights"


def case(make, change):
    def space(hp):
        rate = hp.Choice("learning_rate", [0.02, 0.03, 0.05])
        model = make(layers.Dense(4, "tanh"), layers.Dense(1))
        model.compile(keras.optimizers.Adam(rate), "mse")
        # Of each group the first and the last are compared with Keras's step.
        if rate == 0.03:
            change(model)
        return model

    x, y = examples()
    return space, (x, y), {"batch_size": 4}


@pytest.mark.parametrize("name", QUICK)
def test_a_change_of_a_chain(tmp_path, name):
    assert_same(tmp_path, lambda: case(of_chain, CHANGES[name]))


@pytest.mark.slow
@pytest.mark.parametrize("make", [of_chain, of_graph])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change(tmp_path, name, make):
    assert_same(tmp_path, lambda: case(make, CHANGES[name]))
