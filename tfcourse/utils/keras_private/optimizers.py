"""The rates, limits and updates of optimizers."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops
from keras.src.optimizers.base_optimizer import BaseOptimizer


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> Any:
    """Returns the learning rate's variable, or its schedule.

    The public `learning_rate` is the value that the schedule gives now.
    """
    return optimizer._learning_rate


@contextlib.contextmanager
def without_rate(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """While it lasts, an optimizer has a number for its learning rate."""
    attributes: Any = vars(optimizer)
    rate = attributes["_learning_rate"]
    attributes["_learning_rate"] = 0.0
    try:
        yield
    finally:
        attributes["_learning_rate"] = rate


def decays(optimizer: keras.optimizers.Optimizer, variable: Any) -> bool:
    """Whether an optimizer's weight decay goes for a variable."""
    return optimizer._use_weight_decay(variable)


def set_decays(
    optimizer: keras.optimizers.Optimizer, answers: dict[int, bool]
) -> None:
    """Settles for which variables, by their id, weight decay goes.

    The optimizer must be one that `in_place_undone` made work on any backend.
    """
    optimizer._exclude_from_weight_decay_cache = answers


# In how many ways an optimizer may clip gradients; each has one at most.
CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")


def clipped(
    optimizer: keras.optimizers.Optimizer,
    limits: dict[str, Any],
    gradients: list[Any],
) -> list[Any]:
    """Returns gradients clipped in several ways, one after the other."""
    for name, limit in limits.items():
        settings: Any = vars(optimizer)
        settings.update(dict.fromkeys(CLIPS) | {name: limit})
        gradients = type(optimizer)._clip_gradients(optimizer, gradients)
    return gradients


def set_clipping(
    optimizer: keras.optimizers.Optimizer,
    clip: Callable[[list[Any]], list[Any]],
) -> None:
    """Gives an optimizer another function that clips gradients."""
    attributes: Any = vars(optimizer)
    attributes["_clip_gradients"] = clip


def iterations_and_rate(optimizer: keras.optimizers.Optimizer) -> list[Any]:
    """Returns the first two of an optimizer's own variables."""
    return optimizer._variables[:2]


def overwrite_without_branches(optimizer: keras.optimizers.Optimizer) -> None:
    """Lets averages overwrite the parameters by a choice, now and then.

    Keras assigns in a branch, and a scope takes note of each assignment.
    """
    every = optimizer.ema_overwrite_frequency
    average = optimizer._update_model_variables_moving_average
    overwrite = optimizer._overwrite_model_variables_with_average_value
    optimizer.ema_overwrite_frequency = None

    def average_and_overwrite(variables: list[Any]) -> None:
        average(variables)
        iterations: Any = optimizer.iterations
        now = ops.equal((iterations + 1) % every, 0)
        before = [ops.convert_to_tensor(v.value) for v in variables]
        overwrite(variables)
        for variable, value in zip(variables, before, strict=True):
            variable.assign(ops.where(now, variable.value, value))

    name = "_update_model_variables_moving_average"
    setattr(optimizer, name, average_and_overwrite)


@functools.cache
def in_place_undone() -> type:
    """Returns a class to inherit from, between an optimizer and Keras's.

    On TensorFlow Keras's optimizers override methods of `BaseOptimizer`, which
    is written for any backend, to update variables in place. A subclass of that
    override comes just before it in the order of resolution, and after what an
    optimizer itself overrides: it puts the methods back.
    """
    from keras.src.backend.tensorflow.optimizer import TFOptimizer

    # The second serves sparse gradients and changes nothing in place.
    kept = ("__init__", "_clip_by_norm")
    methods = {
        name: getattr(BaseOptimizer, name)
        for name in vars(TFOptimizer)
        if name in vars(BaseOptimizer) and name not in kept
    }
    return type("InPlaceUndone", (TFOptimizer,), methods)
