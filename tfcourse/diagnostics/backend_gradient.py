"""The few things that each backend does its own way: the gradients themselves.

TensorFlow and JAX are imported here, on first use, and nowhere else among the
diagnostics.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops


def gradient(function: Callable, values: Any) -> Any:
    """Returns the derivative of `function(values)` by each of the tensors.

    A tensor that it does not depend on has a derivative of zero.
    """
    if _backend() == "jax":
        import jax

        return jax.grad(function)(values)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(values)
        result = function(values)
    return _dense(tape.gradient(result, values), values)


def training_gradient(model: keras.Model, loss: Callable) -> Any:
    """Returns the gradients of `loss()` as training takes them.

    On TensorFlow they are taken by the variables themselves, because a custom
    gradient may look up which variables it has used.
    """
    variables = model.trainable_variables
    if _backend() == "jax":
        import jax

        def stateless_loss(values):
            state = zip(variables, values, strict=True)
            with keras.StatelessScope(state, collect_losses=True):
                return loss()

        values = [variable.value for variable in variables]
        return jax.jit(jax.grad(stateless_loss))(values)
    import tensorflow as tf

    values = [variable.value for variable in variables]
    with tf.GradientTape() as tape:
        result = loss()
    return _dense(tape.gradient(result, values), values)


def compiled(function: Callable, *inputs: Any) -> Callable:
    """Returns `function` as one traced program, to be called many times.

    Args:
        function: Takes and returns tensors.
        inputs: Shape and dtype of each argument; `None` where a size varies.
    """
    if _backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    specs = [tf.TensorSpec(shape, dtype) for shape, dtype in inputs]
    # The concrete function, since TensorFlow warns of functions made anew.
    return tf.function(function, autograph=False).get_concrete_function(*specs)


@contextlib.contextmanager
def float64_allowed() -> Iterator[None]:
    """A `with` block in which JAX, too, computes in float64 where wanted."""
    if _backend() == "jax":
        import jax

        with jax.enable_x64(True):
            yield
    else:
        yield


def _dense(gradients, values):
    return [
        # `convert_to_tensor` of TensorFlow itself: an `Embedding` gives slices.
        _tensorflow_tensor(g) if g is not None else ops.zeros_like(value)
        for g, value in zip(gradients, values, strict=True)
    ]


def _tensorflow_tensor(value):
    import tensorflow as tf

    return tf.convert_to_tensor(value)


def _backend():
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise ValueError(
            "The diagnostics take gradients on the backends tensorflow and "
            f"jax. Received: KERAS_BACKEND={backend}"
        )
    return backend
