"""Which methods of Keras's a class of the user's may override."""

from typing import Any

import keras

from tfcourse.tuning.population.structure.attributes import (
    attributes_of_bases,
)
from tfcourse.tuning.population.structure.values import is_library

_CONFIGS = {"__init__", "__repr__", "__str__", "get_config", "from_config"}
_BUILDS = {"build", "build_from_config", "get_build_config"}
_SHAPES = {"compute_mask", "compute_output_shape", "compute_output_spec"}
# What a population calls as `fit` does, or need not call. All else that the
# class of Keras has is called by `fit` in its own way, or by other methods: who
# overrides that trains alone.
ALLOWED: dict[type, set[str]] = {
    keras.Model: _CONFIGS
    | _BUILDS
    | _SHAPES
    | {"call", "compute_loss", "summary"},
    keras.layers.Layer: _CONFIGS | _BUILDS | _SHAPES | {"call"},
    keras.losses.Loss: _CONFIGS | {"__call__", "call"},
    keras.metrics.Metric: _CONFIGS | {"update_state", "result"},
    keras.optimizers.Optimizer: _CONFIGS | {"build", "update_step"},
    keras.optimizers.schedules.LearningRateSchedule: _CONFIGS | {"__call__"},
    keras.regularizers.Regularizer: _CONFIGS | {"__call__"},
    keras.constraints.Constraint: _CONFIGS | {"__call__"},
    keras.initializers.Initializer: _CONFIGS | {"__call__"},
}
# How any attribute is found or set.
_OF_PYTHON = {"__delattr__", "__getattribute__", "__new__", "__setattr__"}


def methods_of(base: type) -> set[str]:
    """Returns the names of the methods and properties of a class of Keras's."""
    return {
        name
        for owner in base.__mro__[:-1]
        for name, value in vars(owner).items()
        if callable(value)
        or isinstance(value, (property, classmethod, staticmethod))
    }


def overridden(part: Any) -> list[str]:
    """Returns which methods a part of a model overrides, but may not.

    Args:
        part: A model, layer, loss, metric, optimizer, schedule, or anything
            else, which has none.
    """
    kind = type(part)
    base = next((b for b in ALLOWED if isinstance(part, b)), None)
    if base is None:
        return []
    own = {
        name
        for owner in kind.__mro__
        if not is_library(owner.__module__)
        for name in vars(owner)
    }
    # One object may have a method of its own, too.
    own |= vars(part).keys() - attributes_of_bases(kind)
    known = methods_of(base) | _OF_PYTHON
    return sorted((own & known) - ALLOWED[base])
