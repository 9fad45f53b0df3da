"""Inverted dropout: masks, scale, and a probability that can change."""

import keras
import numpy as np
import pytest
import reference
from gradients import gradient_of
from keras import ops

from tfcourse.layers import InvertedDropout


def array(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("keep_prob", [0.1, 0.5, 0.8, 1.0])
def test_keeps_a_share_and_scales_it_up(rng, keep_prob):
    x = rng.normal(1, 1, (200, 500)).astype("float32")

    y = array(InvertedDropout(keep_prob, seed=1)(x, training=True))

    d = y != 0
    np.testing.assert_allclose(
        y, reference.inverted_dropout(x, d, keep_prob), rtol=1e-6
    )
    six_sigma = 6 * np.sqrt(keep_prob * (1 - keep_prob) / x.size)
    assert abs(d.mean() - keep_prob) <= six_sigma
    assert abs(y.mean() - x.mean()) <= 2 * six_sigma / keep_prob


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="JAX compares its draws the other way round",
)
@pytest.mark.parametrize("keep_prob", [0.25, 0.5, 0.8])
def test_is_dropout_of_keras(keep_prob):
    x = np.arange(1.0, 1001, dtype="float32").reshape(20, 50)
    ours = InvertedDropout(keep_prob, seed=7)
    theirs = keras.layers.Dropout(1 - keep_prob, seed=7)
    for _ in range(3):
        np.testing.assert_allclose(
            array(ours(x, training=True)),
            array(theirs(x, training=True)),
            rtol=1e-6,
        )


def test_is_off_at_inference(rng):
    x = rng.normal(size=(4, 3)).astype("float32")
    layer = InvertedDropout(0.1)
    np.testing.assert_array_equal(array(layer(x)), x)
    np.testing.assert_array_equal(array(layer(x, training=False)), x)


def test_same_seed_same_masks():
    x = np.ones((30, 30), "float32")

    def two_masks(seed):
        layer = InvertedDropout(0.5, seed=seed)
        return [array(layer(x, training=True)) for _ in range(2)]

    first, second = two_masks(0)
    np.testing.assert_array_equal([first, second], two_masks(0))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, two_masks(1)[0])


@pytest.mark.parametrize("noise_shape", [(None, 1, None), [20, 1, 10]])
def test_noise_shape_is_broadcast(noise_shape):
    layer = InvertedDropout(0.5, seed=0, noise_shape=noise_shape)
    assert layer.noise_shape == tuple(noise_shape)
    y = array(layer(np.ones((20, 5, 10), "float32"), training=True))
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], 5, axis=1))
    assert set(np.unique(y)) == {0.0, 2.0}


# It has none: only the dropout is of interest.
@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
def test_keep_prob_can_change_in_a_compiled_fit():
    x = np.ones((64, 100), "float32")
    traces = []

    class Counted(InvertedDropout):
        def call(self, inputs, training=False):
            traces.append(training)
            return super().call(inputs, training=training)

    layer = Counted(0.5, seed=0)
    model = keras.Sequential([keras.Input((100,)), layer])
    # The loss is then the share of units kept, over their probability.
    model.compile(loss=lambda y, y_hat: ops.mean(y_hat, axis=-1))

    def kept_share(keep_prob):
        layer.keep_prob = keep_prob
        history = model.fit(x, x, batch_size=64, verbose=0)
        return history.history["loss"][0] * keep_prob

    shares = [kept_share(p) for p in (0.5, 1.0, 0.9, 1.0, 0.2)]
    np.testing.assert_allclose(shares, [0.5, 1.0, 0.9, 1.0, 0.2], atol=0.04)
    assert shares[1] == shares[3] == 1.0
    assert layer.get_config()["keep_prob"] == 0.2
    assert len(traces) <= 2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_rare_drop_survives_low_precision(dtype):
    # A draw in float16 is a multiple of 1/1024, in bfloat16 of 1/128.
    layer = InvertedDropout(0.9999, seed=0, dtype=f"mixed_{dtype}")
    y = layer(np.ones((1000, 1000), "float32"), training=True)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    dropped = np.sum(array(ops.cast(y, "float32")) == 0)
    assert abs(dropped - 100) <= 60


def test_gradient_passes_what_is_kept():
    x = np.ones((20, 20), "float32")
    layer = InvertedDropout(0.5, seed=3)
    y = array(layer(x, training=True))
    same = InvertedDropout(0.5, seed=3)
    gradient = gradient_of(lambda x: ops.sum(same(x, training=True)), x)
    np.testing.assert_array_equal(gradient, y)


def test_lists_its_hyperparameters():
    layer = InvertedDropout(0.8)
    assert layer.hyperparameters == {"keep_prob": layer.keep_prob}


@pytest.mark.parametrize("keep_prob", [0.0, -0.5, 1.1, float("nan")])
def test_refuses_a_probability_outside_its_interval(keep_prob):
    with pytest.raises(ValueError, match=r"`keep_prob` .* \(0, 1\]"):
        InvertedDropout(keep_prob)


def test_refuses_what_is_no_number():
    with pytest.raises(TypeError, match="`keep_prob` .* number"):
        InvertedDropout("0.5")
    with pytest.raises(ValueError, match="rate"):
        InvertedDropout(0.5, rate=0.5)


@pytest.mark.parametrize("noise_shape", ["all", (20, 1.5), (20, -1), (0, 1), 3])
def test_refuses_a_noise_shape(noise_shape):
    with pytest.raises(ValueError, match="`noise_shape` .* positive"):
        InvertedDropout(0.5, noise_shape=noise_shape)
