"""Initializers: variance by fan-in, shape of the distribution, round trip."""

import keras
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from tfcourse import initializers
from tfcourse.initializers import He, Xavier, XavierBengio

ALL = [Xavier, He, XavierBengio]


def array(tensor):
    return ops.convert_to_numpy(tensor)


VARIANCES = {
    Xavier: reference.xavier_variance,
    He: reference.he_variance,
    XavierBengio: reference.xavier_bengio_variance,
}


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize(
    "shape, n_in, n_out",
    [
        ((300, 400), 300, 400),
        ((400, 300), 400, 300),
        ((11, 80, 130), 880, 1430),
        ((3, 5, 60, 150), 900, 2250),
        ((2, 3, 4, 50, 90), 1200, 2160),
    ],
)
def test_variance_follows_the_fan(cls, shape, n_in, n_out):
    w = array(cls(seed=0)(shape)).astype("float64")
    expected = VARIANCES[cls](n_in, n_out)
    # Six deviations of the mean and of the variance of as many draws.
    assert abs(w.mean()) < 6 * np.sqrt(expected / w.size)
    assert abs(w.var() / expected - 1) < 6 * np.sqrt(2 / w.size)


@pytest.mark.parametrize("cls", ALL)
def test_is_normal_and_not_truncated(cls):
    w = array(cls(seed=0)((500, 500))).ravel().astype("float64")
    z = np.abs(w / np.sqrt(VARIANCES[cls](500, 500)))
    # Shares of a normal distribution beyond one, two, three and four sigma.
    shares = [(z > sigma).mean() for sigma in (1, 2, 3, 4)]
    expected = np.array([0.317311, 0.0455003, 0.0026998, 6.334e-5])
    assert np.all(np.abs(shares - expected) < 6 * np.sqrt(expected / w.size))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    cls=st.sampled_from(ALL),
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    seed=st.integers(0, 2**31 - 1),
)
def test_is_variance_scaling_of_keras(cls, shape, seed):
    scale, mode = {
        Xavier: (1.0, "fan_in"),
        He: (2.0, "fan_in"),
        XavierBengio: (1.0, "fan_avg"),
    }[cls]
    theirs = keras.initializers.VarianceScaling(
        scale, mode, "untruncated_normal", seed
    )
    w = array(cls(seed=seed)(shape))
    assert w.shape == tuple(shape)
    np.testing.assert_array_equal(w, array(theirs(shape)))


def test_axes_tell_the_fan_of_a_depthwise_kernel():
    w = array(He(0, input_axes=(0, 1), output_axes=(2, 3))((5, 5, 500, 4)))
    assert abs(w.var() * 25 / 2 - 1) < 6 * np.sqrt(2 / w.size)


@pytest.mark.parametrize("cls", ALL)
def test_same_seed_same_weights(cls):
    one, two = cls(seed=3)((4, 5)), cls(seed=3)((4, 5))
    np.testing.assert_array_equal(array(one), array(two))
    assert not np.array_equal(array(one), array(cls(seed=4)((4, 5))))
    keras.utils.set_random_seed(0)
    assert not np.array_equal(array(cls()((4, 5))), array(cls()((4, 5))))
    generator = keras.random.SeedGenerator(1)
    drawing = cls(seed=generator)
    assert not np.array_equal(array(drawing((4, 5))), array(drawing((4, 5))))


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_gives_the_dtype_asked_for(cls, dtype):
    w = cls(seed=0)((3, 4), dtype=dtype)
    assert keras.backend.standardize_dtype(w.dtype) == dtype


@pytest.mark.parametrize("cls", ALL)
def test_config_gives_it_back(cls, tmp_path):
    given = cls(5, (0,), (1,))
    back = keras.initializers.get(keras.initializers.serialize(given))
    assert type(back) is cls
    assert back.get_config() == given.get_config()
    assert set(given.get_config()) == {"seed", "input_axes", "output_axes"}

    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, kernel_initializer=cls(1))]
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0].kernel_initializer) is cls
    np.testing.assert_array_equal(
        model.get_weights()[0], loaded.get_weights()[0]
    )


def trained(cls, **how):
    """Returns a model's weights before and after four steps, and its layer."""
    dtype = how.pop("dtype", None)
    layer = keras.layers.Dense(2, kernel_initializer=cls(0), dtype=dtype)
    model = keras.Sequential([keras.Input((64,)), layer])
    before = model.get_weights()[0]
    model.compile(keras.optimizers.SGD(0.1), "mse", **how)
    x = np.random.default_rng(0).normal(size=(32, 64)).astype("float32")
    model.fit(x, x[:, :2], batch_size=8, shuffle=False, verbose=0)
    return before, model.get_weights()[0], layer


@pytest.mark.parametrize("cls", ALL)
def test_trains_alike_compiled_or_not(cls):
    before, plain, _ = trained(cls, jit_compile=False)
    same, compiled, _ = trained(cls, jit_compile=True)
    np.testing.assert_array_equal(before, same)
    np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-5)
    assert np.abs(plain - before).max() > 1e-3


@pytest.mark.parametrize("cls", ALL)
def test_mixed_precision_draws_the_same_in_float32(cls):
    before, plain, _ = trained(cls)
    same, half, layer = trained(cls, dtype="mixed_float16")
    assert layer.kernel.dtype == "float32"
    np.testing.assert_array_equal(before, same)
    np.testing.assert_allclose(half, plain, atol=1e-3)


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("shape", [(), (3,)])
def test_refuses_what_is_no_kernel(cls, shape):
    with pytest.raises(ValueError, match=f"{cls.__name__} needs .* 2 axes"):
        cls()(shape)


def test_refuses_half_of_the_axes():
    with pytest.raises(ValueError, match="`input_axes` and `output_axes`"):
        He(input_axes=(0,))


@pytest.mark.parametrize("cls", ALL)
def test_refuses_unknown_arguments(cls):
    with pytest.raises(TypeError, match="scale"):
        cls(scale=2.0)


def test_every_initializer_is_tested():
    public = {
        item
        for name, item in vars(initializers).items()
        if isinstance(item, type) and not name.startswith("_")
    }
    assert public == set(ALL)


def responses(layer, rng):
    """Returns the variance of a layer's answers, away from the edges."""
    rank = len(layer.kernel_size)
    x = rng.normal(size=(8, *[12] * rank, 48)).astype("float32")
    y = array(layer(x)).astype("float64")
    inner = (slice(None), *[slice(2, -2)] * rank)
    return y[inner].var()


TRANSPOSED = {
    1: keras.layers.Conv1DTranspose,
    2: keras.layers.Conv2DTranspose,
}


@pytest.mark.parametrize("cls, variance", [(Xavier, 1), (He, 2)])
@pytest.mark.parametrize("rank", TRANSPOSED)
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("filters", [32, 200])
def test_a_transposed_convolution_keeps_the_variance(
    rng, cls, variance, rank, strides, filters
):
    layer = TRANSPOSED[rank](
        filters, 4, strides, "same", kernel_initializer=cls(seed=0)
    )

    assert responses(layer, rng) == pytest.approx(variance, rel=0.1)


def test_the_compromise_of_a_transposed_convolution():
    layer = keras.layers.Conv2DTranspose(
        40, 5, kernel_initializer=XavierBengio(seed=0)
    )
    layer.build((None, 8, 8, 60))

    w = array(layer.kernel).astype("float64")
    expected = reference.xavier_bengio_variance(25 * 60, 25 * 40)
    assert w.var() == pytest.approx(expected, rel=6 * np.sqrt(2 / w.size))


def test_given_axes_go_before_what_the_layer_says():
    given = He(seed=0, input_axes=(0, 1, 2), output_axes=(3,))
    layer = keras.layers.Conv2DTranspose(4, 3, kernel_initializer=given)
    layer.build((None, 8, 8, 60))

    np.testing.assert_array_equal(array(layer.kernel), given((3, 3, 4, 60)))


def test_a_model_without_memory_begins_with_the_same_values():
    from tfcourse.tuning.population.deferred import (
        all_variables,
        build_deferred,
        initial_values,
    )

    def build():
        model = keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                keras.layers.Conv2DTranspose(4, 3, 2, kernel_initializer=He()),
                keras.layers.Conv2D(2, 3, kernel_initializer=Xavier()),
            ]
        )
        model.compile("sgd", "mse")
        model.optimizer.build(model.trainable_variables)
        return model

    keras.utils.set_random_seed(3)
    model = build()

    values = initial_values(model, [build_deferred(build, seed=3)])

    for variable, value in zip(all_variables(model), values, strict=True):
        np.testing.assert_array_equal(array(variable), value[0])
