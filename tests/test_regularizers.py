"""Regularizers: the penalty, its gradient, and the norm that it is of."""

import keras
import numpy as np
import pytest
import reference
from gradients import gradient_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from keras import ops

from tfcourse import regularizers
from tfcourse.regularizers import L1, L2, frobenius_norm

CASES = [
    (L2(0.7, 50), {"lambda_": 0.7, "m": 50.0}),
    (L1(0.7, 50), {"lambda_": 0.7, "m": 50.0, "half": False}),
    (L1(0.7, 50, half=True), {"lambda_": 0.7, "m": 50.0, "half": True}),
]
each_case = pytest.mark.parametrize(
    "regularizer, config", CASES, ids=["L2", "L1", "L1, half"]
)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    shape=array_shapes(min_dims=1, max_dims=4, max_side=5),
    lambda_=st.floats(1e-6, 100),
    m=st.integers(1, 10**6),
    scale=st.floats(1e-3, 1e3),
)
def test_matches_the_formula(shape, lambda_, m, scale):
    w = scale * np.random.default_rng(0).normal(size=shape)
    for penalty, expected in [
        (L2(lambda_, m), reference.l2(w, lambda_, m)),
        (L1(lambda_, m), reference.l1(w, lambda_, m)),
        (L1(lambda_, m, half=True), reference.l1_of_the_notes(w, lambda_, m)),
    ]:
        got = penalty(w.astype("float32"))
        np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_gradients_are_those_of_the_course(rng):
    w = rng.normal(size=(4, 3)).astype("float32")
    for penalty, expected in [
        (L2(0.7, 50), 0.7 / 50 * w),
        (L1(0.7, 50), 0.7 / 50 * np.sign(w)),
        (L1(0.7, 50, half=True), 0.7 / 100 * np.sign(w)),
    ]:
        np.testing.assert_allclose(gradient_of(penalty, w), expected, rtol=1e-5)


def test_agrees_with_keras(rng):
    w = rng.normal(size=(4, 3)).astype("float32")
    np.testing.assert_allclose(
        L2(0.7, 50)(w), keras.regularizers.L2(0.007)(w), rtol=1e-6
    )
    np.testing.assert_allclose(
        L1(0.7, 50)(w), keras.regularizers.L1(0.014)(w), rtol=1e-6
    )


def test_decays_weights_by_the_course_factor():
    layer = keras.layers.Dense(2, kernel_regularizer=L2(lambda_=5.0, m=10))
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.1), loss=lambda y, y_hat: 0 * y_hat)
    before = layer.get_weights()[0]
    model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    factor = 1 - 0.1 * 5.0 / 10
    np.testing.assert_allclose(
        layer.get_weights()[0], factor * before, rtol=1e-6
    )


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    shape=array_shapes(min_dims=1, max_dims=4, max_side=5),
    scale=st.floats(1e-3, 1e3),
)
def test_frobenius_norm(shape, scale):
    w = scale * np.random.default_rng(0).normal(size=shape)
    expected = reference.frobenius_norm(w)
    np.testing.assert_allclose(frobenius_norm(w), expected, rtol=1e-5)
    # The penalty is of its square.
    np.testing.assert_allclose(
        L2(0.7, 50)(w), 0.7 / 100 * expected**2, rtol=1e-5
    )


@pytest.mark.parametrize("value", [300.0, 3000.0])
def test_float16_does_not_overflow(value):
    w = ops.cast(np.full((10, 10), value), "float16")
    np.testing.assert_allclose(frobenius_norm(w), 10 * value, rtol=1e-6)
    np.testing.assert_allclose(L2(2.0, 100)(w), value**2, rtol=1e-6)
    np.testing.assert_allclose(L1(1.0, 100)(w), value, rtol=1e-6)


@each_case
def test_config_gives_it_back(regularizer, config, tmp_path):
    assert regularizer.get_config() == config
    serialized = keras.regularizers.serialize(regularizer)
    back = keras.regularizers.get(serialized)
    assert type(back) is type(regularizer)
    assert back.get_config() == config

    layer = keras.layers.Dense(2, kernel_regularizer=regularizer)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        float(model.losses[0]), float(loaded.losses[0])
    )


def trained(regularizer, dtype=None, **compiled):
    """Returns the losses of two epochs and the weights after them."""
    layer = keras.layers.Dense(
        2,
        kernel_initializer=keras.initializers.GlorotUniform(0),
        kernel_regularizer=regularizer,
        dtype=dtype,
    )
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse", **compiled)
    x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    fit = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    losses = model.fit(x, x[:, :2], **fit).history["loss"]
    return losses, layer.get_weights()[0]


@pytest.mark.parametrize("regularizer", [L2(0.7, 50), L1(0.7, 50)])
def test_trains_alike_compiled_or_not(regularizer):
    losses, weights = trained(regularizer, jit_compile=False)
    losses_xla, weights_xla = trained(regularizer, jit_compile=True)
    np.testing.assert_allclose(losses_xla, losses, rtol=1e-5)
    np.testing.assert_allclose(weights_xla, weights, rtol=1e-4, atol=1e-6)
    free, _ = trained(None, jit_compile=True)
    assert np.all(np.subtract(losses, free) > 1e-3)


@pytest.mark.parametrize("regularizer", [L2(0.7, 50), L1(0.7, 50)])
def test_mixed_precision_trains_alike(regularizer):
    losses, weights = trained(regularizer)
    losses_half, weights_half = trained(regularizer, dtype="mixed_float16")
    np.testing.assert_allclose(losses_half, losses, rtol=5e-3)
    np.testing.assert_allclose(weights_half, weights, atol=3e-3)


@pytest.mark.parametrize("cls", [L1, L2])
@pytest.mark.parametrize(
    "lambda_, m, name",
    [
        (-0.1, 10, "lambda_"),
        (float("inf"), 10, "lambda_"),
        (0.1, 0, "m"),
        (0.1, -5, "m"),
        (0.1, float("nan"), "m"),
    ],
)
def test_refuses_a_value_outside_its_interval(cls, lambda_, m, name):
    with pytest.raises(ValueError, match=f"`{name}` of {cls.__name__} must"):
        cls(lambda_, m)


@pytest.mark.parametrize("cls", [L1, L2])
def test_refuses_what_is_no_number(cls):
    with pytest.raises(TypeError, match="`lambda_`"):
        cls("0.1", 10)
    with pytest.raises(TypeError, match="`m`"):
        cls(0.1, None)
    with pytest.raises(TypeError, match="unknown"):
        cls(0.1, 10, unknown=1)


def test_half_is_a_truth_value():
    with pytest.raises(TypeError, match="`half` of L1"):
        L1(0.1, 10, half=1)


def test_every_regularizer_is_tested():
    public = {
        item
        for name, item in vars(regularizers).items()
        if isinstance(item, type) and not name.startswith("_")
    }
    assert public == {type(regularizer) for regularizer, _ in CASES}
