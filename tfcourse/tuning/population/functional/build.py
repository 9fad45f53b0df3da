"""The variables of a model, as training would create them."""

from typing import Any

import keras

from tfcourse.utils.keras_private import called, loss_of


def build(model: keras.Model, batch: tuple[Any, Any, Any]) -> None:
    """Creates the variables of a model, its loss and its metrics.

    Args:
        model: A compiled `keras.Model`.
        batch: `(x, y, sample_weight)`, a few examples.
    """
    x, y, sample_weight = batch
    y_pred = called(model, x, training=False)
    loss_of(
        model,
        x=x,
        y=y,
        y_pred=y_pred,
        sample_weight=sample_weight,
        training=False,
    )
    model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
    model.reset_metrics()
