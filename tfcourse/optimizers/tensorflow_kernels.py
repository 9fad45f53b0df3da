"""TensorFlow's own kernels for the optimizers' equations.

Outside XLA, TensorFlow runs an equation operation by operation, each of which
reads and writes every parameter; a kernel passes over them once.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfcourse.optimizers.moving_average import bias_correction
from tfcourse.utils.tensorflow_private import in_xla_context

# Up to this size adding `l2 * w` for nothing is cheaper than a branch.
_SMALL = 2**14


def applies_to(
    optimizer: keras.optimizers.Optimizer, variables: Sequence[Any]
) -> bool:
    """Returns whether `update` may take the place of `update_step`."""
    variables = _native(variables)
    return (
        optimizer.fused_kernel in _KERNELS
        and not _is_overridden(type(optimizer))
        and not tf.distribute.has_strategy()
        # XLA makes one pass of the plain equation by itself.
        and not in_xla_context()
        # Not the tensors that stand for variables in a stateless call.
        and all(isinstance(w, tf.Variable) for w in variables)
        and {w.dtype for w in variables} in ({tf.float32}, {tf.float64})
    )


def _is_overridden(kind):
    """Returns whether a user's subclass may compute something else."""
    parts = (kind.update_step, kind.equation, kind.settings)
    return any(not part.__module__.startswith("tfcourse.") for part in parts)


def update(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[Any],
    variables: Sequence[Any],
    learning_rate: Any,
) -> None:
    """Updates the variables, and the slots of the optimizer, in place."""
    variables = _native(variables)
    dtype = variables[0].dtype
    settings = optimizer.settings(learning_rate)
    step = _KERNELS[optimizer.fused_kernel](dtype, **settings)
    l2 = tf.cast(optimizer.l2, dtype)
    if not optimizer.slots:
        # Nothing averages `l2 * w` with the gradient: it can go before it.
        kernels = [w for w in variables if optimizer.regularizes(w)]
        _shrink(kernels, tf.cast(learning_rate, dtype) * l2)

    for g, w in zip(gradients, variables, strict=True):
        slots = optimizer.slots_of(w)
        if not isinstance(g, tf.IndexedSlices):
            if slots and optimizer.regularizes(w):
                g = _regularized(g, w, l2)
            step(w, tf.cast(g, dtype), *_native(slots))
        elif slots:
            optimizer.update_step(g, w, learning_rate)
        else:
            # Rows without a gradient are not touched.
            optimizer.assign_sub(w, *optimizer.equation(g, **settings))


def _native(variables):
    return [v.value if isinstance(v, keras.Variable) else v for v in variables]


def _shrink(kernels, share):
    """Takes `share` of every kernel away, in one branch for all."""

    def shrink():
        for w in kernels:
            w.assign_sub(share * w)

    tf.cond(share > 0, shrink, lambda: None)


def _regularized(g, w, l2):
    if w.shape.num_elements() <= _SMALL:
        return g + l2 * w
    return tf.cond(l2 > 0, lambda: g + l2 * w, lambda: g)


# Each of the kernels below takes the settings of an equation, once a step, and
# returns the function that updates one parameter and its slots.


def _gradient_descent(dtype, learning_rate):
    alpha = tf.cast(learning_rate, dtype)

    def step(w, g):
        tf.raw_ops.ResourceApplyGradientDescent(
            var=w.handle, alpha=alpha, delta=g
        )

    return step


def _momentum(dtype, learning_rate, beta):
    alpha, share = tf.cast(learning_rate, dtype), tf.cast(1 - beta, dtype)
    beta = tf.cast(beta, dtype)

    def step(w, g, v):
        # v := beta v + share g; w := w - alpha v
        tf.raw_ops.ResourceApplyMomentum(
            var=w.handle,
            accum=v.handle,
            lr=alpha,
            grad=share * g,
            momentum=beta,
        )

    return step


def _rmsprop(dtype, learning_rate, beta, epsilon):
    # The kernel adds the square of what it is given to s. It is given g times
    # the root of 1 - beta, and the learning rate takes the root back.
    root = tf.cast(tf.sqrt(1 - beta), dtype)
    alpha = tf.cast(learning_rate, dtype) / root
    beta, epsilon = tf.cast(beta, dtype), tf.cast(epsilon, dtype)

    def step(w, g, s):
        s.assign(beta * s)
        # s := s + (root g)^2; w := w - alpha root g / (sqrt(s) + epsilon)
        tf.raw_ops.ResourceApplyAdagradV2(
            var=w.handle,
            accum=s.handle,
            lr=alpha,
            epsilon=epsilon,
            grad=root * g,
        )

    return step


def _rmsprop_inside(dtype, learning_rate, beta, epsilon):
    alpha, epsilon = tf.cast(learning_rate, dtype), tf.cast(epsilon, dtype)
    old_share, new_share = tf.cast(beta, dtype), tf.cast(1 - beta, dtype)

    def step(w, g, s):
        new_s = old_share * s + new_share * tf.square(g)
        w.assign_sub(alpha * g * tf.math.rsqrt(new_s + epsilon))
        s.assign(new_s)

    return step


def _adam(dtype, t, learning_rate, beta_1, beta_2, epsilon):
    beta_1, beta_2, c_1, c_2 = _betas(dtype, t, beta_1, beta_2)
    root = tf.sqrt(c_2)
    alpha = tf.cast(learning_rate, dtype) * root / c_1
    epsilon = tf.cast(epsilon, dtype) * root

    def step(w, g, m, v):
        _apply_adam(w, g, m, v, beta_1, beta_2, alpha, epsilon)

    return step


def _adam_inside(dtype, t, learning_rate, beta_1, beta_2, epsilon):
    beta_1, beta_2, c_1, c_2 = _betas(dtype, t, beta_1, beta_2)
    alpha = tf.cast(learning_rate, dtype) * tf.sqrt(c_2) / c_1
    epsilon = tf.cast(epsilon, dtype) * c_2
    zero, one = tf.zeros((), dtype), tf.ones((), dtype)

    def step(w, g, m, v):
        # With a learning rate of 0 the kernel updates the averages only.
        _apply_adam(w, g, m, v, beta_1, beta_2, zero, one)
        w.assign_sub(alpha * m * tf.math.rsqrt(v + epsilon))

    return step


def _betas(dtype, t, beta_1, beta_2):
    # The kernel subtracts its betas from 1 after they were rounded to `dtype`:
    # the powers of these same numbers correct its averages exactly.
    betas = tf.cast(beta_1, dtype), tf.cast(beta_2, dtype)
    return *betas, *(bias_correction(beta, t) for beta in betas)


def _apply_adam(w, g, m, v, beta_1, beta_2, alpha, epsilon):
    # m := m + (1 - beta_1) (g - m); v := v + (1 - beta_2) (g^2 - v);
    # w := w - alpha m / (sqrt(v) + epsilon). Its own correction is off, since
    # it would put epsilon where Keras has it.
    tf.raw_ops.ResourceApplyAdam(
        var=w.handle,
        m=m.handle,
        v=v.handle,
        beta1_power=tf.zeros((), alpha.dtype),
        beta2_power=tf.zeros((), alpha.dtype),
        lr=alpha,
        beta1=beta_1,
        beta2=beta_2,
        epsilon=epsilon,
        grad=g,
    )


_KERNELS = {
    "gradient_descent": _gradient_descent,
    "momentum": _momentum,
    "rmsprop": _rmsprop,
    "rmsprop_inside": _rmsprop_inside,
    "adam": _adam,
    "adam_inside": _adam_inside,
}
