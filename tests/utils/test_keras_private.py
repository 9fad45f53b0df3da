"""The private names of Keras that the diagnostics lean on: are they there?"""

import keras
import numpy as np
import pytest
from keras import layers, ops

from tfcourse.diagnostics.float64 import (
    calls,
    every_layer,
    has_graph,
    lent_float64,
    sublayers,
)


@pytest.fixture
def model():
    inputs = keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="in")])
    outputs = layers.Dense(2, name="out")(ops.relu(inner(inputs)))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", keras.losses.MeanSquaredError())
    return model


def test_lists_the_layers(model):
    assert {"in", "out"} < {layer.name for layer in every_layer(model)}
    names = {layer.name for layer in sublayers(model)}
    assert "out" in names
    assert "in" not in names


def test_lists_the_calls_inputs_first(model):
    made = [operation for operation, _, _ in calls(model)]
    assert [type(each).__name__ for each in made] == [
        "Sequential",
        "Relu",
        "Dense",
    ]
    for (_, _, given), (_, taken, _) in zip(
        calls(model), calls(model)[1:], strict=False
    ):
        assert given[0] is taken[0]


def test_knows_whose_calls_it_can_list(model):
    class Own(keras.Model):
        def call(self, x):
            return x

    class Functional(type(model)):
        def call(self, x, training=None, mask=None):
            return super().call(x)

    assert has_graph(model)
    assert not has_graph(Own())
    assert not has_graph(Functional(model.inputs, model.outputs))


def test_lends_float64_to_every_part(model, rng):
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    names = [variable.value for variable in model.variables]
    loss = model._compile_loss
    with lent_float64(model):
        predicted = model(ops.convert_to_tensor(x))
        assert keras.backend.standardize_dtype(predicted.dtype) == "float64"
        lent = model.compute_loss(x, ops.convert_to_tensor(y), predicted)
        assert keras.backend.standardize_dtype(lent.dtype) == "float64"

        a, b = (
            layer.get_weights() for layer in (model.layers[1], model.layers[-1])
        )
        expected = np.maximum(x @ a[0] + a[1], 0) @ b[0] + b[1]
        np.testing.assert_allclose(
            ops.convert_to_numpy(predicted), expected, rtol=1e-12
        )
        assert float(lent) == pytest.approx(
            np.mean((expected - y) ** 2), rel=1e-12
        )
        model.layers[-1].bias.assign([9.0, 9.0])
    # The very same buffers are back, and the very same loss.
    assert all(
        variable.value is value
        for variable, value in zip(model.variables, names, strict=True)
    )
    assert model._compile_loss is loss
    predicted = model(ops.convert_to_tensor(x, "float32"))
    assert keras.backend.standardize_dtype(predicted.dtype) == "float32"
    assert keras.backend.result_type("float32", float) == "float32"
