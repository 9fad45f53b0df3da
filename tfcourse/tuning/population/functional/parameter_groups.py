"""What an optimizer updates as one: a parameter, or many small ones at once.

Most optimizers do the same with each number of each parameter. Whether these
are given to them one by one or end to end makes no difference to the result,
but a dozen short updates take many times as long as one.
"""

import collections
import dataclasses
import math
from typing import Any

import keras

from tfcourse.optimizers.base import is_kernel
from tfcourse.tuning.population.functional.keras_optimizers import (
    is_elementwise,
)
from tfcourse.tuning.population.functional.layer_traits import (
    has_sparse_gradient,
    is_known,
)
from tfcourse.utils.keras_private import decays, every_layer

# Of larger ones the copying would cost more than the calls that it saves.
_LARGEST_JOINED = 2**17


@dataclasses.dataclass
class ParameterGroup:
    """One or several trainable variables, as an optimizer sees them.

    Attributes:
        variable: The variable, or a flat one that stands for all.
        parts: The variables.
        indices: Where these stand among the model's `trainable_variables`.
    """

    variable: Any
    parts: list[Any]
    indices: list[int]


def parameter_groups(
    model: keras.Model, optimizers: list[Any], joined: bool = True
) -> list[ParameterGroup]:
    """Returns the `ParameterGroup`s of a model.

    Args:
        model: A built and compiled `keras.Model`.
        optimizers: The optimizers that shall update them.
        joined: Whether small ones are joined where that is the same.
    """
    groups: dict[Any, list[int]] = collections.defaultdict(list)
    joins = (
        joined and _only_known_layers(model) and all(map(_joins, optimizers))
    )
    sparse = {
        id(v)
        for layer in every_layer(model)
        if has_sparse_gradient(layer)
        for v in layer.weights
    }
    for i, variable in enumerate(model.trainable_variables):
        small = math.prod(variable.shape) <= _LARGEST_JOINED
        # Keras treats the rows of a sparse gradient in a way of its own.
        if joins and small and id(variable) not in sparse:
            key = _treated(variable, optimizers)
        else:
            key = i
        groups[key].append(i)
    return [_group(model, indices) for indices in groups.values()]


def _group(model: keras.Model, indices: list[int]) -> ParameterGroup:
    parts = [model.trainable_variables[i] for i in indices]
    if len(parts) == 1:
        return ParameterGroup(parts[0], parts, indices)
    size = sum(math.prod(part.shape) for part in parts)
    flat = keras.Variable(
        keras.initializers.Zeros(), (size,), parts[0].dtype, name="joined"
    )
    return ParameterGroup(flat, parts, indices)


def _treated(variable: Any, optimizers: list[Any]) -> tuple[Any, ...]:
    """Returns what makes an optimizer treat a variable unlike others."""
    return (
        variable.dtype,
        variable.constraint and id(variable),
        getattr(variable, "overwrite_with_gradient", False) and id(variable),
        # To which of them tfcourse's optimizers apply `l2`.
        is_kernel(variable),
        *(decays(optimizer, variable) for optimizer in optimizers),
    )


def _joins(optimizer: Any) -> bool:
    """Whether an optimizer treats every number of a parameter alike."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    # That of one parameter's gradient.
    return is_elementwise(optimizer) and optimizer.clipnorm is None


def _only_known_layers(model: keras.Model) -> bool:
    """Whether each parameter is used by its own layer, for one output.

    A layer or model of the user's may take rows of a parameter, or leave one
    without a gradient; so may an output without a loss.
    """
    outputs = getattr(model, "outputs", None) or []
    return len(outputs) == 1 and all(
        is_known(layer) for layer in every_layer(model)
    )
