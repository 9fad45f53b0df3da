"""Does each step equal the course's formula, and Keras's where it should?"""

import functools

import keras
import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import settings as search
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from tfcourse import optimizers
from tfcourse.optimizers.adam import adam_step
from tfcourse.optimizers.rmsprop import rmsprop_step

INSIDE = {"epsilon_inside_sqrt": True}
RMS = {"beta": 0.999, "epsilon": 1e-8}
ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
# Optimizer, its settings, and the reference for the direction of a step.
FORMULAS = {
    "gradient descent": (
        optimizers.GradientDescent,
        {},
        reference.gradient_descent_direction,
    ),
    "momentum": (
        optimizers.Momentum,
        {"beta": 0.9},
        reference.momentum_direction,
    ),
    "momentum, beta 0": (
        optimizers.Momentum,
        {"beta": 0.0},
        reference.momentum_direction,
    ),
    "rmsprop": (optimizers.RMSprop, RMS, reference.rmsprop_direction),
    "rmsprop, epsilon inside": (
        optimizers.RMSprop,
        {**RMS, **INSIDE},
        reference.rmsprop_direction,
    ),
    "rmsprop, beta 0": (
        optimizers.RMSprop,
        {**RMS, "beta": 0.0},
        reference.rmsprop_direction,
    ),
    "adam": (optimizers.Adam, ADAM, reference.adam_direction),
    "adam, epsilon inside": (
        optimizers.Adam,
        {**ADAM, **INSIDE},
        reference.adam_direction,
    ),
    "adam, other betas": (
        optimizers.Adam,
        {**ADAM, "beta_1": 0.0, "beta_2": 0.5},
        reference.adam_direction,
    ),
    "adam, large epsilon": (
        optimizers.Adam,
        {**ADAM, "beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.5},
        reference.adam_direction,
    ),
}
all_formulas = pytest.mark.parametrize(
    "make, settings, direction", FORMULAS.values(), ids=FORMULAS
)


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    """The dtype of the parameters, and how closely they can be computed."""
    if request.param == "float64" and keras.config.backend() == "jax":
        pytest.skip("JAX computes in float32 unless told otherwise")
    before = keras.config.floatx()
    keras.config.set_floatx(request.param)
    # In JAX 1 - 0.999 is subtracted in float32, which is 1.3e-5 off.
    float32_rtol = 2e-5 if keras.config.backend() == "jax" else 2e-6
    yield (
        request.param,
        {"float32": float32_rtol, "float64": 1e-12}[request.param],
    )
    keras.config.set_floatx(before)


def run(optimizer, w, gradients, name="kernel"):
    """Returns the parameters after each of the gradients."""
    variable = keras.Variable(w, dtype=w.dtype, name=name)
    path = []
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [variable])
        path.append(keras.ops.convert_to_numpy(variable))
    return np.stack(path)


# Where the gradients are as small as epsilon it is a large part of the
# denominator: only there the places that epsilon can have differ visibly.
@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e-8])
@all_formulas
def test_matches_the_formula(rng, precision, make, settings, direction, scale):
    dtype, rtol = precision
    w = rng.normal(size=(3, 2)).astype(dtype)
    gradients = (scale * rng.normal(size=(25, 3, 2))).astype(dtype)

    actual = run(make(learning_rate=0.0625, **settings), w, gradients)
    expected = reference.optimizer_path(
        w.astype("float64"),
        gradients.astype("float64"),
        functools.partial(direction, **settings),
        learning_rate=0.0625,
    )

    # Compared as ways gone, so that a small step counts as much as a large.
    way = np.abs(expected - w).max()
    np.testing.assert_allclose(
        actual - w, expected - w, rtol=0, atol=rtol * max(way, np.abs(w).max())
    )


@all_formulas
def test_tiny_steps_match_the_formula(rng, make, settings, direction):
    # From 0, so that even the smallest step leaves all its digits.
    gradients = (1e-8 * rng.normal(size=(25, 3, 2))).astype("float32")
    w = np.zeros((3, 2), "float32")

    actual = run(make(learning_rate=0.0625, **settings), w, gradients)
    expected = reference.optimizer_path(
        w.astype("float64"),
        gradients.astype("float64"),
        functools.partial(direction, **settings),
        learning_rate=0.0625,
    )

    np.testing.assert_allclose(
        actual, expected, rtol=1e-5, atol=2e-6 * np.abs(expected).max()
    )


@all_formulas
def test_l2_is_added_to_the_gradient_of_kernels(rng, make, settings, direction):
    w = rng.normal(size=(3, 2)).astype("float32")
    gradients = rng.normal(size=(20, 3, 2)).astype("float32")

    actual = run(make(learning_rate=0.05, l2=0.7, **settings), w, gradients)
    expected = reference.optimizer_path(
        w.astype("float64"),
        gradients.astype("float64"),
        functools.partial(direction, **settings),
        learning_rate=0.05,
        l2=0.7,
    )

    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(4,), (4, 2)])
@pytest.mark.parametrize(
    "name", ["bias", "gamma", "beta", "input_bias", "b", "b1", "b_2", "alpha"]
)
@all_formulas
def test_l2_leaves_other_parameters_alone(
    rng, make, settings, direction, name, shape
):
    w = rng.normal(size=shape).astype("float32")
    gradients = rng.normal(size=(3, *shape)).astype("float32")

    np.testing.assert_array_equal(
        run(make(0.05, l2=0.7, **settings), w, gradients, name),
        run(make(0.05, l2=0.0, **settings), w, gradients, name),
    )


def test_l2_knows_the_kernels_of_keras_layers():
    layers = keras.layers
    inputs = keras.Input((8, 6))
    x = layers.MultiHeadAttention(2, 3)(inputs, inputs)
    x = layers.LayerNormalization(axis=[1, 2])(x)
    x = layers.SeparableConv1D(4, 3)(x)
    x = layers.BatchNormalization()(x)
    x = layers.PReLU()(x)
    x = layers.GRU(3)(x)
    x = layers.Reshape((3, 1))(x)
    x = layers.LSTM(2)(x)
    model = keras.Model(inputs, layers.Dense(1)(x))
    embedding = layers.Embedding(5, 3)
    embedding.build()
    lora = layers.Dense(3, lora_rank=2)
    lora.build((None, 4))
    variables = [
        *model.trainable_variables,
        *embedding.trainable_variables,
        *lora.trainable_variables,
    ]
    optimizer = optimizers.GradientDescent()
    optimizer.build(variables)

    weights = ("kernel", "embeddings", "lora_kernel_a", "lora_kernel_b")
    assert [v.path for v in variables if optimizer.regularizes(v)] == [
        v.path for v in variables if v.name.endswith(weights)
    ]
    others = {v.name for v in variables if not optimizer.regularizes(v)}
    assert others == {"bias", "gamma", "beta", "alpha"}


@pytest.mark.parametrize("shape, decays", [((3,), False), ((3, 1), True)])
def test_l2_goes_by_the_axes_where_the_name_tells_nothing(shape, decays):
    w, zeros = np.ones(shape, "float32"), np.zeros((1, *shape), "float32")

    path = run(optimizers.GradientDescent(0.1, l2=0.5), w, zeros, name="slope")

    np.testing.assert_allclose(path[0], 0.95 if decays else 1.0, rtol=1e-6)


def test_l2_is_weight_decay_by_the_share_of_the_course(rng):
    w = rng.normal(size=(3, 2)).astype("float32")

    path = run(
        optimizers.GradientDescent(0.1, l2=0.5), w, np.zeros((1, 3, 2), "f")
    )

    np.testing.assert_allclose(path[0], w * (1 - 0.1 * 0.5), rtol=1e-6)


SGD, RMSPROP = keras.optimizers.SGD, keras.optimizers.RMSprop
TWINS = {
    "SGD": (optimizers.GradientDescent(0.1), SGD(0.1), 0),
    # The velocity of Keras is the average times -alpha / (1 - beta).
    "SGD with momentum": (
        optimizers.Momentum(0.1, beta=0.75),
        SGD(0.25 * 0.1, momentum=0.75),
        1e-6,
    ),
    "RMSprop": (
        optimizers.RMSprop(0.1, 0.9, epsilon=1e-3, epsilon_inside_sqrt=True),
        RMSPROP(0.1, rho=0.9, epsilon=1e-3),
        1e-6,
    ),
    # Keras takes 1 - beta_2 exactly in one place and from the float32 beta_2
    # in another, which makes it 1e-5 off.
    "Adam": (
        optimizers.Adam(0.1, epsilon=1e-30),
        keras.optimizers.Adam(0.1, epsilon=0),
        1e-4,
    ),
}


@pytest.mark.parametrize("ours, theirs, rtol", TWINS.values(), ids=TWINS)
def test_agrees_with_keras_where_the_formulas_agree(rng, ours, theirs, rtol):
    w = np.zeros((4, 3), "float32")
    gradients = rng.normal(size=(20, 4, 3)).astype("float32")

    expected = run(theirs, w, gradients)

    np.testing.assert_allclose(
        run(ours, w, gradients),
        expected,
        rtol=rtol,
        atol=rtol * np.abs(expected).max(),
    )


def test_first_adam_step_is_the_learning_rate_and_in_keras_it_is_not():
    w, g = np.zeros(1, "float32"), np.array([[1e-6]], "float32")

    ours = run(optimizers.Adam(0.1), w, g)
    theirs = run(keras.optimizers.Adam(0.1, epsilon=1e-8), w, g)

    np.testing.assert_allclose(ours, -0.1 / 1.01, rtol=1e-5)
    correction = np.sqrt(1 - 0.999)
    np.testing.assert_allclose(
        theirs, -0.1 / (1 + 0.01 / correction), rtol=1e-4
    )


def test_keras_rmsprop_is_slower_at_small_gradients_as_documented():
    w, g = np.zeros(1, "float32"), np.array([[1e-5]], "float32")

    ours = run(optimizers.RMSprop(0.1, beta=0.9), w, g)
    theirs = run(keras.optimizers.RMSprop(0.1, rho=0.9), w, g)

    assert 95 < (ours / theirs).item() < 105


@pytest.mark.parametrize(
    "make, power",
    [
        (optimizers.GradientDescent, 1),
        (optimizers.Momentum, 1),
        (functools.partial(optimizers.RMSprop, epsilon=1e-15), 0),
        (functools.partial(optimizers.Adam, epsilon=1e-15), 0),
    ],
    ids=["GradientDescent", "Momentum", "RMSprop", "Adam"],
)
@search(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    shape=array_shapes(min_dims=0, max_dims=5, max_side=4),
    scale=st.floats(1e-3, 1e3),
)
def test_steps_grow_by_a_power_of_the_scale_of_the_cost(
    make, power, seed, shape, scale
):
    gradients = np.random.default_rng(seed).normal(size=(4, *shape)).astype("f")
    zeros = np.zeros(shape, "float32")

    once = run(make(0.01), zeros, gradients)
    scaled = run(make(0.01), zeros, (scale * gradients).astype("f"))

    assert once.shape == gradients.shape
    assert np.abs(once).max() > 0
    expected = scale**power * once
    np.testing.assert_allclose(
        scaled, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max()
    )


@pytest.mark.parametrize("inside", [False, True])
def test_equations_take_numbers_and_tensors(inside):
    g = keras.ops.convert_to_tensor([2.0])
    zero = keras.ops.zeros((1,))
    numbers = (0.1, 0.9, 0.999, 1e-3)

    step, m, v = adam_step(
        g, zero, zero, 1, *numbers, epsilon_inside_sqrt=inside
    )
    same = adam_step(
        g,
        zero,
        zero,
        keras.ops.convert_to_tensor(1),
        *(keras.ops.convert_to_tensor(number) for number in numbers),
        epsilon_inside_sqrt=inside,
    )

    root = (4 + 1e-3) ** 0.5 if inside else 2 + 1e-3
    np.testing.assert_allclose(step, [0.1 * 2 / root], rtol=1e-5)
    np.testing.assert_allclose(m, [0.2], rtol=1e-6)
    np.testing.assert_allclose(v, [0.004], rtol=2e-5)
    for a, b in zip((step, m, v), same, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5)

    step, s = rmsprop_step(g, zero, 0.1, 0.75, 1e-3, epsilon_inside_sqrt=inside)
    root = (1 + 1e-3) ** 0.5 if inside else 1 + 1e-3
    np.testing.assert_allclose(step, [0.1 * 2 / root], rtol=1e-6)
    np.testing.assert_allclose(s, [1.0], rtol=1e-6)
