"""The settings of single layers, read without the structure around them."""

from typing import Any

import keras

from tfcourse.tuning.population.settings.forms.activation import (
    ACTIVATION_LAYERS,
    value_of,
)
from tfcourse.tuning.population.settings.places import places
from tfcourse.tuning.population.settings.setting import Setting
from tfcourse.utils.keras_private import every_layer


def settings_of_layer(layer: Any, shown: set[int]) -> list[Setting]:
    """Returns the settings of a layer and of those inside it.

    Args:
        layer: A layer of Keras's own, built or not.
        shown: What `shown_to_losses` gave for its model.
    """
    parts = every_layer(layer)
    # They are no part of it, but what one of its settings is.
    functions = {
        id(value)
        for part in parts
        for value in vars(part).values()
        if isinstance(value, ACTIVATION_LAYERS)
    }
    return [
        Setting(part, name, form, value)
        for part in parts
        if id(part) not in functions
        for name, form in places(part, id(part) in shown)
        if (value := form.read(part, name)) is not None
    ]


def names_of_settings(layer: Any, shown: set[int]) -> set[str]:
    """Returns the arguments of a layer that are settings, or of its cell."""
    return {
        name
        for part in (layer, getattr(layer, "cell", None))
        for place, form in places(part, id(part) in shown)
        if form.read(part, place) is not None
        for name in (place, *form.attributes)
    }


def shared_class(layer: Any) -> type:
    """Returns the class of a layer, or that which stands for its likes."""
    known = type(layer) in ACTIVATION_LAYERS and value_of(layer)
    return keras.layers.Activation if known else type(layer)
