"""Learning-rate decay by the global step of a TensorFlow 1 graph.

Each rule is the schedule of the same name in `tfcourse.schedules` with its
equation applied to a tensor: give it to an optimizer as its learning rate, and
give the same `global_step` to its `minimize`. With `steps_per_epoch=n`, the
epoch of the steps 0 to n - 1 is 0; without, steps are counted instead of
epochs.
"""

import itertools
from collections.abc import Sequence

import tensorflow as tf

from tfcourse.schedules.exponential_decay import exponential_rate
from tfcourse.schedules.inverse_sqrt_decay import inverse_sqrt_rate
from tfcourse.schedules.inverse_time_decay import inverse_time_rate
from tfcourse.schedules.piecewise_constant_decay import piecewise_constant_rate
from tfcourse.utils.validation import check_integer, check_number


def inverse_time_decay(
    initial_learning_rate: float,
    global_step: tf.Variable | tf.Tensor,
    decay_rate: float = 1.0,
    interval: float = 1,
    steps_per_epoch: int | None = None,
) -> tf.Tensor:
    r"""Returns $\alpha_0 / (1 + d \cdot \lfloor e / i \rfloor)$ in epoch $e$.

    `tf.compat.v1.train.inverse_time_decay` computes the same with
    `staircase=True` and as many `decay_steps` as there are in $i$ epochs.

    Args:
        initial_learning_rate: $\alpha_0 \ge 0$.
        global_step: The variable that counts the steps, or a tensor.
        decay_rate: $d \ge 0$, per epoch.
        interval: $i > 0$, in epochs.
        steps_per_epoch: Mini-batches to an epoch, positive, or `None`.

    Returns:
        A scalar tensor, float32.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If one lies outside its interval.
    """
    _check(
        "inverse_time_decay",
        {
            "initial_learning_rate": (initial_learning_rate, "[0, inf)"),
            "decay_rate": (decay_rate, "[0, inf)"),
            "interval": (interval, "(0, inf)"),
        },
    )
    n = _epoch(global_step, steps_per_epoch) // interval
    return inverse_time_rate(n, initial_learning_rate, decay_rate)


def exponential_decay(
    initial_learning_rate: float,
    global_step: tf.Variable | tf.Tensor,
    base: float = 0.95,
    interval: float = 1,
    steps_per_epoch: int | None = None,
) -> tf.Tensor:
    r"""Returns $b^{\lfloor e / i \rfloor} \alpha_0$ in epoch $e$.

    `tf.compat.v1.train.exponential_decay` computes the same with
    `staircase=True` and as many `decay_steps` as there are in $i$ epochs.

    Args:
        initial_learning_rate: $\alpha_0 \ge 0$.
        global_step: As in `inverse_time_decay`.
        base: $b$, in (0, 1].
        interval: $i > 0$, in epochs.
        steps_per_epoch: As in `inverse_time_decay`.

    Returns:
        A scalar tensor, float32.

    Raises:
        TypeError: As `inverse_time_decay`.
        ValueError: As `inverse_time_decay`.
    """
    _check(
        "exponential_decay",
        {
            "initial_learning_rate": (initial_learning_rate, "[0, inf)"),
            "base": (base, "(0, 1]"),
            "interval": (interval, "(0, inf)"),
        },
    )
    n = _epoch(global_step, steps_per_epoch) // interval
    return exponential_rate(n, initial_learning_rate, base)


def inverse_sqrt_decay(
    initial_learning_rate: float,
    global_step: tf.Variable | tf.Tensor,
    k: float = 1.0,
    steps_per_epoch: int | None = None,
) -> tf.Tensor:
    r"""Returns $k / \sqrt{e} \cdot \alpha_0$, or $k / \sqrt{t} \cdot \alpha_0$.

    The second without `steps_per_epoch`, with $t = 1$ at the first step. In
    epoch 0, where the first has no value, it is $k \alpha_0$ as in epoch 1.

    Args:
        initial_learning_rate: $\alpha_0 \ge 0$.
        global_step: As in `inverse_time_decay`.
        k: $k > 0$.
        steps_per_epoch: As in `inverse_time_decay`.

    Returns:
        A scalar tensor, float32.

    Raises:
        TypeError: As `inverse_time_decay`.
        ValueError: As `inverse_time_decay`.
    """
    _check(
        "inverse_sqrt_decay",
        {
            "initial_learning_rate": (initial_learning_rate, "[0, inf)"),
            "k": (k, "(0, inf)"),
        },
    )
    epoch = _epoch(global_step, steps_per_epoch)
    n = epoch + 1 if steps_per_epoch is None else tf.maximum(epoch, 1)
    return inverse_sqrt_rate(n, initial_learning_rate, k)


def piecewise_constant_decay(
    global_step: tf.Variable | tf.Tensor,
    boundaries: Sequence[float],
    values: Sequence[float],
    steps_per_epoch: int | None = None,
) -> tf.Tensor:
    r"""Returns $\alpha_i$ for $b_i \le e < b_{i+1}$ in epoch $e$.

    In `tf.compat.v1.train.piecewise_constant_decay` a boundary is the last step
    with the old rate: what begins here at step 100 begins there at 101.

    Args:
        global_step: As in `inverse_time_decay`.
        boundaries: $b_1, \dots, b_k$, positive and rising, in epochs.
        values: $\alpha_0, \dots, \alpha_k \ge 0$, one more.
        steps_per_epoch: As in `inverse_time_decay`.

    Returns:
        A scalar tensor, float32.

    Raises:
        TypeError: As `inverse_time_decay`.
        ValueError: As `inverse_time_decay`; also if the boundaries do not rise
            or there are not one more values.
    """
    _check_boundaries_and_values(boundaries, values)
    epoch = _epoch(global_step, steps_per_epoch)
    rates = [tf.constant(value, tf.float32) for value in values]
    return piecewise_constant_rate(epoch, boundaries, rates, tf.where)


def _check(owner, settings):
    for name, (value, interval) in settings.items():
        check_number(value, name, owner, interval)


def _check_boundaries_and_values(boundaries, values):
    owner = "piecewise_constant_decay"
    rising = all(a < b for a, b in itertools.pairwise(boundaries))
    if not rising or len(values) != len(boundaries) + 1:
        raise ValueError(
            f"`boundaries` of {owner} must increase, and there must be one "
            f"more of `values`. Received: boundaries={boundaries}, "
            f"values={values}"
        )
    for boundary in boundaries:
        check_number(boundary, "boundaries", owner, "(0, inf)")
    for value in values:
        check_number(value, "values", owner, "[0, inf)")


def _epoch(global_step, steps_per_epoch):
    if steps_per_epoch is not None:
        check_integer(steps_per_epoch, "steps_per_epoch")
    # Divided as integers: a float32 does not hold all numbers of steps.
    step = tf.convert_to_tensor(global_step)
    return tf.cast(step // (steps_per_epoch or 1), tf.float32)
