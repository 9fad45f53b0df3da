"""Gradients by whichever backend the tests run on."""

import keras
import numpy as np


def gradient_of(function, x, jit_compile=False):
    """Returns the gradient of a scalar function of one array, at `x`."""
    return _GRADIENTS[keras.backend.backend()](function, x, jit_compile)


def _by_tensorflow(function, x, jit_compile):
    import tensorflow as tf

    @tf.function(jit_compile=jit_compile)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    return gradient(tf.constant(x)).numpy()


def _by_jax(function, x, jit_compile):
    import jax

    def stateless(x):
        with keras.StatelessScope():
            return function(x)

    gradient = jax.grad(stateless)
    return np.asarray((jax.jit(gradient) if jit_compile else gradient)(x))


_GRADIENTS = {"tensorflow": _by_tensorflow, "jax": _by_jax}
