"""Optimizers by name: the course's four, and TensorFlow 1's own."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from tfcourse.errors import InputError
from tfcourse.graph_mode.optimizers import (
    Adam,
    GradientDescent,
    Momentum,
    RMSprop,
)
from tfcourse.utils.validation import unknown_name

v1 = tf.compat.v1

_COURSE = {
    "adam": Adam,
    "gradient_descent": GradientDescent,
    "momentum": Momentum,
    "rmsprop": RMSprop,
}
_TENSORFLOW = sorted(
    name
    for name in dir(v1.train)
    if name.endswith("Optimizer") and name != "Optimizer"
)
OPTIMIZERS = (*_COURSE, *_TENSORFLOW)


def optimizer_named(
    name: str, learning_rate: float | tf.Tensor
) -> v1.train.Optimizer:
    """Returns an optimizer with the defaults for all its other settings.

    Args:
        name: `"gradient_descent"`, `"momentum"`, `"rmsprop"` or `"adam"` for
            the course's; the name of a class of `tf.compat.v1.train`, e.g.
            `"AdamOptimizer"` or `"tf.train.AdamOptimizer"`, for TensorFlow's.
        learning_rate: A number or a scalar tensor. Of the settings that have
            no default in TensorFlow, `momentum` is 0.9, and
            `SyncReplicasOptimizer` has one replica, of gradient descent.

    Raises:
        InputError: If there is no such optimizer; the message names those there
            are.
    """
    key = str(name).rpartition(".")[-1]
    if key in _COURSE:
        return _COURSE[key](learning_rate)
    if key not in _TENSORFLOW:
        raise InputError(unknown_name("optimizer", name, OPTIMIZERS))
    kind = getattr(v1.train, key)
    if kind is v1.train.MomentumOptimizer:
        return kind(learning_rate, momentum=0.9)
    if kind is v1.train.AdagradDAOptimizer:
        return kind(learning_rate, v1.train.get_or_create_global_step())
    if kind is v1.train.SyncReplicasOptimizer:
        inner = v1.train.GradientDescentOptimizer(learning_rate)
        return kind(inner, replicas_to_aggregate=1, total_num_replicas=1)
    return kind(learning_rate)


@contextlib.contextmanager
def kept_running(
    optimizer: v1.train.Optimizer, session: v1.Session
) -> Iterator[None]:
    """Keeps up what the optimizer has beside its graph, while it trains.

    Only `SyncReplicasOptimizer` has something: a thread that lets the replicas,
    here one, go on to the next step.
    """
    if not isinstance(optimizer, v1.train.SyncReplicasOptimizer):
        yield
        return
    # Without tokens at first, no step begins before the last is done.
    hook = optimizer.make_session_run_hook(is_chief=True, num_tokens=0)
    with session.graph.as_default():
        hook.begin()
    coordinator = v1.train.Coordinator()
    hook.after_create_session(session, coordinator)
    try:
        yield
    finally:
        coordinator.request_stop()
        session.close()  # Cancels what the thread waits for.
        coordinator.join()
