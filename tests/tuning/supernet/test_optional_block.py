"""Layers that some members have, and others pass by."""

import keras
import numpy as np
import pytest
from keras import ops

from tfcourse.tuning.supernet.blocks.optional_block import OptionalBlock

ON_TENSORFLOW = keras.config.backend() == "tensorflow"


class Doubled(keras.layers.Layer):
    """Notes how many examples it sees."""

    def call(self, inputs, training=False):
        self.seen = inputs.shape[0]
        return 2 * inputs

    def compute_output_shape(self, input_shape):
        return input_shape


def optional(present):
    doubled = Doubled()
    layer = OptionalBlock(doubled)
    layer.build((None, 3))
    layer.present.assign(present)
    return layer, doubled


@pytest.mark.parametrize("shape", [(5, 3), (1, 3), (4, 2, 3)])
def test_gives_back_the_inputs_of_what_is_absent(rng, shape):
    x = rng.normal(size=shape).astype("float32")
    layer, doubled = optional(0.0)
    np.testing.assert_array_equal(layer(x, training=True), x)
    # Where that can be decided for all members, next to nothing is computed.
    assert doubled.seen == (min(2, len(x)) if ON_TENSORFLOW else len(x))


def test_computes_what_is_present(rng):
    x = rng.normal(size=(5, 3)).astype("float32")
    layer, doubled = optional(1.0)
    np.testing.assert_array_equal(layer(x), 2 * x)
    assert doubled.seen == 5


def test_both_give_their_gradient():
    x = ops.ones((5, 3))
    for present, expected in [(0.0, 1), (1.0, 2)]:
        layer, _ = optional(present)
        np.testing.assert_array_equal(
            gradient(lambda x, layer=layer: ops.sum(layer(x)), x),
            np.full((5, 3), expected),
        )


@pytest.mark.parametrize("features", [2, 5])
def test_missing_features_are_zero(rng, features):
    x = rng.normal(size=(4, 3)).astype("float32")
    dense = keras.layers.Dense(features)
    layer = OptionalBlock(dense)
    for present, expected in [(0.0, x), (1.0, dense(x))]:
        layer(x)
        layer.present.assign(present)
        outputs = ops.convert_to_numpy(layer(x))
        assert outputs.shape == (4, max(3, features))
        width = expected.shape[-1]
        np.testing.assert_array_equal(outputs[:, :width], expected)
        np.testing.assert_array_equal(outputs[:, width:], 0)


def gradient(function, x):
    if not ON_TENSORFLOW:
        import jax

        return jax.grad(function)(x)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = function(x)
    return tape.gradient(loss, x)
