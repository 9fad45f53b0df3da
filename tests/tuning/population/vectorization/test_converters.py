"""Converters: do they compute what TensorFlow does one by one?"""

import keras
import numpy as np
import pytest

if keras.config.backend() != "tensorflow":
    pytest.skip("they are TensorFlow's", allow_module_level=True)

import tensorflow as tf

from tfcourse.tuning.population.vectorization import (
    convolution,
    philox,
    pooling,
)
from tfcourse.tuning.population.vectorization.converters import converters
from tfcourse.tuning.population.vectorization.cross_member import any_member
from tfcourse.utils.tensorflow_private import vectorization_rules

K = 3


@pytest.mark.parametrize("shape", [[5], [4, 7], [2, 3, 3]])
def test_philox_draws_tensorflows_numbers(shape):
    seeds = np.array([[3, 0], [2**31 - 2, 7], [12345, 2**30]], "int32")
    state = philox.key_and_counter(tf.constant(seeds))
    uniform, normal = (
        philox.uniform(shape, *state),
        philox.normal(shape, *state),
    )
    for k, seed in enumerate(seeds):
        np.testing.assert_array_equal(
            uniform[k], tf.random.stateless_uniform(shape, seed)
        )
        np.testing.assert_allclose(
            normal[k],
            tf.random.stateless_normal(shape, seed),
            rtol=1e-5,
            atol=1e-6,
        )


@pytest.mark.parametrize(
    "strides, dilations, padding",
    [
        ([1, 1], [1, 1], "VALID"),
        ([2, 1], [1, 1], "SAME"),
        ([3, 2], [1, 1], [1, 0, 2, 1]),
    ],
)
def test_convolution_and_its_gradients(rng, strides, dilations, padding):
    image = rng.normal(size=(K, 2, 7, 6, 3)).astype("float32")
    filters = rng.normal(size=(K, 2, 3, 3, 4)).astype("float32")
    settings = {"strides": strides, "dilations": dilations, "padding": padding}
    explicit = padding
    if isinstance(padding, list):
        top, bottom, left, right = padding
        explicit = [[0, 0], [top, bottom], [left, right], [0, 0]]
    out = convolution.convolve(image, filters, **settings)
    for k in range(K):
        x, w = tf.constant(image[k]), tf.constant(filters[k])
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = tf.nn.conv2d(
                x, w, strides, padding=explicit, dilations=dilations
            )
        gx, gw = tape.gradient(y, [x, w], tf.sin(y))
        np.testing.assert_allclose(out[k], y, atol=1e-5)
        by_image = convolution.image_gradient(
            filters, tf.sin(out), image.shape[2:], **settings
        )
        by_filters = convolution.filters_gradient(
            image, tf.sin(out), filters.shape[1:], **settings
        )
        np.testing.assert_allclose(by_image[k], gx, atol=1e-4)
        np.testing.assert_allclose(by_filters[k], gw, atol=1e-4)


@pytest.mark.parametrize("size", [[2, 2], [3, 2]])
def test_pooling_and_its_gradients(rng, size):
    # Few values, so that windows have several largest pixels.
    image = rng.integers(3, size=(2, 7, 6, 3)).astype("float32")
    x = tf.constant(image)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        largest = tf.nn.max_pool2d(x, size, size, "VALID")
        mean = tf.nn.avg_pool2d(x, size, size, "VALID")
        loss, other = (tf.reduce_sum(tf.sin(v)) for v in (largest, mean))
    np.testing.assert_array_equal(pooling.max_pool(x, size), largest)
    np.testing.assert_allclose(pooling.average_pool(x, size), mean, rtol=1e-6)
    np.testing.assert_allclose(
        pooling.max_pool_gradient(x, tf.cos(largest), size),
        tape.gradient(loss, x),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        pooling.average_pool_gradient(tf.cos(mean), x.shape, size),
        tape.gradient(other, x),
        rtol=1e-5,
    )


def test_what_has_no_rule_is_named_and_still_right(rng):
    x = rng.normal(size=(K, 4, 4)).astype("float32")
    with converters(xla=False) as one_by_one:
        out = tf.function(
            lambda x: tf.vectorized_map(lambda a: tf.linalg.svd(a)[0], x)
        )(x)
    assert one_by_one == {"Svd"}
    np.testing.assert_allclose(out, tf.linalg.svd(x)[0], rtol=1e-4)


@pytest.mark.parametrize(
    "flags, xla, expected",
    [
        ([False, True, False], False, [6, 6, 6]),
        ([False, False, False], False, [2, 2, 2]),
        # What XLA compiles has its sizes fixed.
        ([False, False, False], True, [6, 6, 6]),
    ],
)
def test_any_member_decides_for_all(flags, xla, expected):
    def examples(flag):
        rows = tf.where(any_member(flag), 6, 2)
        return tf.shape(tf.zeros(rows))[0]

    with converters(xla) as one_by_one:
        counts = tf.function(lambda f: tf.vectorized_map(examples, f))(
            tf.constant(flags)
        )
    assert counts.numpy().tolist() == expected
    assert not one_by_one


def test_the_rules_are_put_back():
    before = vectorization_rules()
    with converters(xla=True):
        assert vectorization_rules() != before
    assert vectorization_rules() == before
