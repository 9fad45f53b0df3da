"""The variables of a model, as training would create them."""

from typing import Any

import keras

from tfcourse.utils.keras_private import (
    build_symbolically,
    called,
    first_of_sequential,
    give_input,
    rebuild,
)


def build(model: keras.Model, batch: tuple[Any, Any, Any]) -> None:
    """Creates the variables of a model, its loss and its metrics.

    Args:
        model: A compiled `keras.Model`.
        batch: `(x, y, sample_weight)`, a few examples.
    """
    # What the code of a user's changes is not to change once more.
    build_symbolically(model, *batch)
    model.reset_metrics()


def has_input(model: keras.Model) -> bool:
    """Whether a model, built or deferred, knows the shapes of its variables."""
    if isinstance(model, keras.Sequential):
        first = first_of_sequential(model)
        return model.built or isinstance(first, keras.layers.InputLayer)
    return model.built


def build_for(model: keras.Model, inputs: Any) -> None:
    """Creates the variables of a model as its first batch would.

    A `keras.Sequential` gets the input layer that it would get.

    Args:
        model: A model that has no input, see `has_input`.
        inputs: Nested `KerasTensor`s.
    """
    if isinstance(model, keras.Sequential) and isinstance(
        inputs, keras.KerasTensor
    ):
        # One whose first layer knows them has been built for other shapes.
        shape = getattr(first_of_sequential(model), "input_shape", inputs.shape)
        give_input(model, shape)
        rebuild(model)
    else:
        called(model, inputs, training=False)
