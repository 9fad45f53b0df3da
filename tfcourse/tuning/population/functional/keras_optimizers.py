"""Optimizers that compute on the values of a `keras.StatelessScope`.

Keras's optimizers for TensorFlow update `tf.Variable`s in place, through
`tf.distribute`, and refuse `stateless_apply`. Each method that makes them so
overrides one of `BaseOptimizer`, which is written for any backend: put back,
the optimizer computes on whatever values a `keras.StatelessScope` holds.
"""

import functools
import types
from typing import Any

import keras

from tfcourse import optimizers
from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.structure import StructureReader
from tfcourse.tuning.population.structure.attributes import (
    attributes_of_bases,
)
from tfcourse.tuning.population.structure.values import is_library
from tfcourse.utils.keras_private import (
    in_place_undone,
    learning_rate_of,
    overwrite_without_branches,
    without_rate,
)

_ELEMENTWISE = (
    keras.optimizers.Adadelta,
    keras.optimizers.Adagrad,
    keras.optimizers.Adam,
    keras.optimizers.Adamax,
    keras.optimizers.AdamW,
    keras.optimizers.Lion,
    keras.optimizers.Nadam,
    keras.optimizers.RMSprop,
    keras.optimizers.SGD,
    optimizers.Adam,
    optimizers.GradientDescent,
    optimizers.Momentum,
    optimizers.RMSprop,
)

# Of Keras or TensorFlow, whose methods are changed here.
Optimizer = Any


def functional_copy(optimizer: Optimizer) -> Optimizer:
    """Returns a copy of an optimizer, not yet built.

    Raises:
        CannotVectorize: If it cannot be copied.
    """
    try:
        copy = type(optimizer).from_config(_config_of(optimizer))
    except Exception as error:
        raise CannotVectorize(
            f"its optimizer {type(optimizer).__name__} cannot be made anew "
            f"from its `get_config()` ({error})"
        ) from error
    if not is_library(type(optimizer).__module__):
        _check_same_settings(optimizer, copy)
    return make_functional(copy)


def _config_of(optimizer: Optimizer) -> dict[str, Any]:
    """Returns what a copy is made from.

    A user's schedule or function is in it as it is: it need not be one that
    Keras can save.
    """
    rate = learning_rate_of(optimizer)
    code = rate if isinstance(rate, types.FunctionType) else type(rate)
    if is_library(code.__module__):
        return optimizer.get_config()
    with without_rate(optimizer):
        return optimizer.get_config() | {"learning_rate": rate}


def _check_same_settings(optimizer: Optimizer, copy: Optimizer) -> None:
    """Raises `CannotVectorize` if a config does not say all."""
    one, other = _settings(optimizer), _settings(copy)
    different = [n for n in sorted(one) if one[n] != other.get(n)]
    if different:
        raise CannotVectorize(
            f"the `get_config()` of its optimizer {type(optimizer).__name__} "
            f"does not say what its `{different[0]}` is"
        )


def _settings(optimizer: Optimizer) -> dict[str, Any]:
    """Returns what a user's optimizer has, but for its own variables."""
    own = {id(variable) for variable in optimizer.variables}
    skip = attributes_of_bases(type(optimizer))
    return {
        name: StructureReader(own).read(value)
        for name, value in vars(optimizer).items()
        if name not in skip
        and not any(id(part) in own for part in keras.tree.flatten(value))
    }


def make_functional(optimizer: Optimizer) -> Optimizer:
    """Changes an optimizer, not yet built, to work in a `StatelessScope`."""
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        make_functional(inner)
    if keras.config.backend() == "tensorflow":
        optimizer.__class__ = _functional(type(optimizer))
    if getattr(optimizer, "ema_overwrite_frequency", None):
        overwrite_without_branches(optimizer)
    return optimizer


def build_noting_slots(
    optimizer: Optimizer, variables: list[Any]
) -> dict[int, tuple[int, str]]:
    """Builds an optimizer, and returns whose slots its variables are.

    Returns:
        A dict from the index of one of the optimizer's `variables` to the index
        of one of the given ones and the name of the slot.
    """
    add, slots = optimizer.add_variable_from_reference, {}
    indices = {id(variable): i for i, variable in enumerate(variables)}

    def note(
        reference_variable: Any, name: str | None = None, **settings: Any
    ) -> Any:
        slot = add(reference_variable, name=name, **settings)
        slots[id(slot)] = indices[id(reference_variable)], name
        return slot

    optimizer.add_variable_from_reference = note
    try:
        optimizer.build(variables)
    finally:
        del optimizer.add_variable_from_reference
    return {
        i: slots[id(variable)]
        for i, variable in enumerate(optimizer.variables)
        if id(variable) in slots
    }


# No more than that: a search space may define classes of its own in each trial.
@functools.lru_cache(32)
def _functional(cls: type) -> type:
    # It goes by the name of the optimizer that it computes the steps of.
    name = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    return type(cls.__name__, (cls, in_place_undone()), name)


def is_elementwise(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer's step of a number depends on no other number.

    Where its gradient is zero from the first step on, so is then its step.
    Clipping by a norm is left out of account.
    """
    return _name(type(optimizer)) in map(_name, _ELEMENTWISE)


def _name(cls: type) -> str:
    # What was made functional is a subclass, and goes by the same name.
    return f"{cls.__module__}.{cls.__qualname__}"
