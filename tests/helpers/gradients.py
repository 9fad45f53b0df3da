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


def gradients_of(function, arrays):
    """Returns the gradients of a scalar function of a list of arrays.

    They are zero where the function does not depend on one.
    """
    if keras.backend.backend() == "jax":
        import jax

        return [np.asarray(g) for g in jax.grad(function)(arrays)]
    import tensorflow as tf

    tensors = [tf.constant(x) for x in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = function(tensors)
    gradients = tape.gradient(y, tensors, unconnected_gradients="zero")
    return [tf.convert_to_tensor(g).numpy() for g in gradients]
