"""The private names of Keras that tfcourse leans on: are they there?"""

import itertools

import keras
import numpy as np
import pytest
from keras import layers, ops

from tfcourse.diagnostics.float64 import lent_float64
from tfcourse.utils import keras_private
from tfcourse.utils.keras_private import (
    calls,
    every_layer,
    graph_of,
    mask_of,
    set_mask,
    standardized_inputs,
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
    made = calls(model)
    assert [type(call.operation).__name__ for call in made] == [
        "Sequential",
        "Relu",
        "Dense",
    ]
    for before, after in itertools.pairwise(made):
        assert before.outputs[0] is after.inputs[0]


def test_knows_whose_calls_it_can_list(model):
    class Own(keras.Model):
        def call(self, x):
            return x

    class Functional(type(model)):
        def call(self, x, training=None, mask=None):
            return super().call(x)

    assert graph_of(model) is model
    assert graph_of(Own()) is None
    assert graph_of(Functional(model.inputs, model.outputs)) is None
    assert graph_of(layers.Dense(2)) is None


def test_knows_what_a_sequential_model_runs(model):
    class Own(keras.Sequential):
        def call(self, x):
            return x

    [built] = [x for x in model.layers if isinstance(x, keras.Sequential)]
    assert [call.operation.name for call in calls(graph_of(built))] == ["in"]
    assert graph_of(keras.Sequential([layers.Dense(2)])) is None
    assert graph_of(Own([keras.Input((2,)), layers.Dense(2)])) is None


def test_runs_a_call_at_inference_on_values(model, rng):
    drop = layers.Dropout(0.5)
    inputs = keras.Input((3,))
    [call] = calls(keras.Model(inputs, drop(inputs, training=True)))
    assert call.args[0] is inputs
    assert call.kwargs == {"training": True}

    x = ops.convert_to_tensor(rng.normal(size=(4, 3)).astype("float32"))
    [y] = call.run([x])
    np.testing.assert_array_equal(y, x)


def test_casts_the_inputs_as_a_model_does(model, rng):
    [x] = standardized_inputs(model, rng.normal(size=(4, 3)))
    assert keras.backend.standardize_dtype(x.dtype) == "float32"


def test_a_tensor_carries_a_mask():
    tensor = layers.Masking()(np.array([[[0.0], [1.0]]], "float32"))
    np.testing.assert_array_equal(mask_of(tensor), [[False, True]])
    other = ops.ones((1, 2, 1))
    assert mask_of(other) is None
    set_mask(other, mask_of(tensor))
    assert mask_of(other) is mask_of(tensor)


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


# ---------------------------------------------------------------------------
# Models in training (used by tuning.panda)


@pytest.fixture
def nested_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]),
            keras.layers.Dropout(0.5),
        ]
    )
    model.compile("adam", "mse", run_eagerly=True)
    return model


def test_fit_begins_where_it_is_told(nested_model):
    class Begin(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            keras_private.begin_at(self.model, 3)

    x = np.zeros((4, 2))
    history = nested_model.fit(x, x, epochs=5, verbose=0, callbacks=[Begin()])
    assert history.epoch == [3, 4]
    keras_private.begin_at(nested_model, None)
    assert nested_model.fit(x, x, epochs=1, verbose=0).epoch == [0]


def test_every_layer_is_found(nested_model):
    layers = keras_private.every_layer(nested_model)
    found = [type(layer).__name__ for layer in layers]

    assert found.count("Dense") == found.count("Dropout") == 1
    assert found.count("Sequential") == 2


def test_global_seed_is_the_state_that_draws_without_a_seed():
    keras.utils.set_random_seed(0)
    seed = keras_private.global_seed()
    before = np.asarray(seed).tolist()
    drawn = keras.random.normal((2,))
    assert np.asarray(seed).tolist() != before

    seed.assign(before)
    np.testing.assert_array_equal(keras.random.normal((2,)), drawn)


def test_learning_rate_is_a_variable_or_a_schedule():
    constant = keras.optimizers.SGD(0.1)
    assert keras_private.learning_rate_of(constant) is constant.learning_rate
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    decaying = keras.optimizers.SGD(schedule)
    assert keras_private.learning_rate_of(decaying) is schedule
