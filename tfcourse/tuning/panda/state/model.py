"""The parts of a model in training, whatever wraps or holds them."""

from typing import Any

import keras


def inner_optimizer(model: keras.Model) -> Any:
    """Returns the optimizer, without the loss scaling of mixed precision."""
    optimizer = model.optimizer
    return getattr(optimizer, "inner_optimizer", optimizer)


def loss_tracker(model: keras.Model) -> keras.metrics.Mean | None:
    """Returns the metric that holds the mean loss, or `None`."""
    found = (m for m in model.metrics if m.name == "loss")
    return next((m for m in found if isinstance(m, keras.metrics.Mean)), None)


def synchronize(model: keras.Model) -> None:
    """Lets the variables have the values of the last step.

    On JAX `fit` keeps them elsewhere while it goes on.
    """
    if keras.config.backend() == "jax":
        model.jax_state_sync()


def build_optimizer(model: keras.Model) -> None:
    """Makes the optimizer's variables, if the model's are there."""
    if model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def build_on(model: keras.Model, batch: Any) -> None:
    """Makes all variables of a model in training, on a batch of its data."""
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    model.test_on_batch(x, y, sample_weight)
    # The batch is none of those that the epoch has trained on.
    model.reset_metrics()
    build_optimizer(model)
