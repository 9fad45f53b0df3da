"""What `compile` gave a model, and what `fit` counts."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def begin_at(model: keras.Model, epoch: int | None) -> None:
    """Lets the present `fit` begin at an epoch; `None` forgets it.

    As `keras.callbacks.BackupAndRestore` does, in `on_train_begin`.
    """
    model._initial_epoch = epoch


def loss_of(model: keras.Model, **batch: Any) -> Any:
    """Returns the loss of a batch, by `compute_loss` of any signature."""
    return model._compute_loss(**batch)


def loss_tracker(model: keras.Model) -> keras.metrics.Metric:
    """Returns the metric that `fit` reports as `"loss"`."""
    return model._loss_tracker


def compiled_metrics(model: keras.Model) -> Any:
    """Returns the metric that holds those of `compile`, or None."""
    return model._compile_metrics


def compile_argument(model: keras.Model, name: str) -> Any:
    """Returns what `compile` was given by that name, or None."""
    config = getattr(model, "_compile_config", None)
    return (config.config if config is not None else {}).get(name)


_COMPILED = (
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "jit_compile",
    "auto_scale_loss",
)


def compile_as(model: keras.Model, other: keras.Model) -> None:
    """Compiles a model with what another was compiled with."""
    arguments = {name: compile_argument(other, name) for name in _COMPILED}
    model.compile(optimizer="sgd", **arguments)
    model.optimizer = other.optimizer


# The attributes in which a variable, a layer and a model hold what computes.
VALUE, DTYPE, DTYPE_POLICY = "_value", "_dtype", "_dtype_policy"
COMPILED_LOSS = "_compile_loss"


def compiled_loss(model: keras.Model) -> Any:
    """Returns the loss of `compile`, with its weights, or None."""
    return getattr(model, COMPILED_LOSS)


def loss_weights_of(model: keras.Model) -> Any:
    """Returns the `loss_weights` of `compile`, for a model with a loss."""
    return model._compile_loss._user_loss_weights


def clear_losses(model: keras.Model) -> None:
    """Forgets the losses that layers have added in the last call."""
    model._clear_losses()


def adds_losses(layer: keras.layers.Layer) -> bool:
    """Whether a layer has called `add_loss`."""
    return bool(layer._losses)


def wrapped_function(metric: Any) -> Callable[..., Any] | None:
    """Returns the function that a metric is the mean of, or None."""
    return getattr(metric, "_fn", None)


def loss_arguments(loss: Any) -> tuple[Callable[..., Any] | None, dict]:
    """Returns the function that a loss wraps, or None, and its arguments."""
    return getattr(loss, "fn", None), getattr(loss, "_fn_kwargs", {})


def with_loss_arguments(
    loss: keras.losses.Loss, function: Callable[..., Any], arguments: dict
) -> keras.losses.Loss:
    """Returns a loss that is like another, but for what it wraps."""
    # Keras copies by saving and loading, which takes floats only.
    other: Any = object.__new__(type(loss))
    vars(other).update(vars(loss))
    other.fn, other._fn_kwargs = function, arguments
    return other


def set_loss(model: keras.Model, loss: keras.losses.Loss) -> None:
    """Gives a model that was compiled with one loss another one."""
    compiled = model._compile_loss
    compiled._user_loss = loss
    if compiled.built:
        (flat,) = compiled._flat_losses
        compiled._flat_losses = [flat._replace(loss=loss)]


def losses_of_outputs(model: keras.Model) -> list[keras.metrics.Metric]:
    """Returns the metrics that `fit` reports as each output's loss.

    There are none if there is one output.
    """
    compiled = model._compile_loss
    return list(compiled.metrics) if compiled is not None else []


def larger_is_better(model: keras.Model, monitor: str) -> bool:
    """Returns whether `mode="auto"` takes the larger values for the better.

    Keras knows by the metric, not by its name.
    """
    callback = keras.callbacks.EarlyStopping(monitor)
    callback.set_model(model)
    callback._set_monitor_op()
    return callback.monitor_op == ops.greater
