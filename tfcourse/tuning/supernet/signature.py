"""What networks of different sizes must share to be slices of one."""

import dataclasses
import itertools
import math
import weakref
from collections.abc import Collection, Iterable
from typing import Any

import keras
from keras import layers

from tfcourse.tuning.population.structure import (
    StructureReader,
    compile_structure,
    own_variables,
)
from tfcourse.tuning.population.structure.values import keras_settings
from tfcourse.tuning.supernet import supported
from tfcourse.utils.keras_private import first_of_sequential

# Of larger networks an update is not computed for nothing.
_SMALL = 2**16
_OF_OPTIMIZER = "optimizer"
# A model's family is what it was right after its build, when it is asked for
# first: what code reads late may be another's by now.
_known: weakref.WeakKeyDictionary[keras.Model, Any] = (
    weakref.WeakKeyDictionary()
)


@dataclasses.dataclass
class Blocks:
    """The layers of a `keras.Sequential`, by their place in it.

    Attributes:
        prefix: Those before the first wide one: the same for all members.
        hidden: Lists of hidden layers, each begins with a wide one.
        tail: The last dense layer, and what follows it.
    """

    prefix: list[keras.layers.Layer]
    hidden: list[list[keras.layers.Layer]]
    tail: list[keras.layers.Layer]

    @property
    def repeats(self) -> bool:
        """Whether the hidden blocks are alike, so that some may be optional."""
        first = self.hidden[0]
        return (
            all(type(layer) is not layers.Flatten for layer in first)
            and type(first[0]) is layers.Dense
            and len({_structure(block) for block in self.hidden}) == 1
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """The width of each hidden block."""
        return tuple(supported.width(block[0]) for block in self.hidden)


def split_into_blocks(model: keras.Model) -> Blocks | None:
    """Returns the `Blocks` of a model, or None if it cannot be embedded.

    Args:
        model: A compiled `keras.Sequential`, built or deferred.
    """
    if type(model) is not keras.Sequential or not _has_input(model):
        return None
    every: list[Any] = model.layers
    wide = [i for i, layer in enumerate(every) if supported.is_wide(layer)]
    if len(wide) < 2 or type(every[wide[-1]]) is not layers.Dense:
        return None
    hidden = every[wide[0] : wide[-1]]
    if not (
        supported.is_supported_optimizer(model.optimizer)
        and all(map(supported.is_supported_layer, every[wide[0] :]))
        and all(map(supported.maps_zero_to_zero, hidden))
    ):
        return None
    blocks = [every[a:b] for a, b in itertools.pairwise(wide)]
    return Blocks(every[: wide[0]], blocks, every[wide[-1] :])


def blocks_of(model: keras.Model) -> Blocks:
    """Returns the `Blocks` of a model that has a `family`."""
    blocks = split_into_blocks(model)
    if blocks is None:
        raise ValueError(f"{model.name} cannot be embedded in a supernet.")
    return blocks


def family(model: keras.Model) -> tuple[tuple, tuple] | None:
    """Returns what networks must share to be embedded in one, or None.

    Args:
        model: A compiled model, built or deferred.

    Returns:
        Nested tuples, which are hashable: what the layers of a family share,
        and the optimizer's structure. Networks that share the first may be
        embedded in one `Supernet`.
    """
    if model not in _known:
        _known[model] = present_family(model)
    return _known[model]


def present_family(model: keras.Model) -> tuple[tuple, tuple] | None:
    """Returns the `family` of a model as it is now."""
    parts = split_into_blocks(model)
    if parts is None:
        return None
    own = own_variables(model)
    hidden = tuple(_structure(block, own) for block in parts.hidden)
    if parts.repeats:
        # It does not matter how many there are.
        hidden = ("repeated", hidden[0])
    compiled = dict(compile_structure(model))
    optimizer = compiled.pop(_OF_OPTIMIZER)
    return (
        (
            "supernet",
            _input(model),
            _structure(parts.prefix, own),
            hidden,
            _structure(parts.tail, own, supported.width(parts.tail[0])),
            tuple(compiled.items()),
            keras_settings(),
        ),
        optimizer,
    )


def are_in_prefix(
    variables: Iterable[keras.Variable], model: keras.Model
) -> bool:
    """Whether variables are only in layers whose width is that of all members.

    Others would be made wider for all that use them.

    Args:
        variables: Some of a model's variables.
        model: A compiled model, built or deferred.
    """
    variables = list(variables)
    if not variables:
        return True
    parts = split_into_blocks(model)
    if parts is None:
        return False
    inside = {id(v) for layer in parts.prefix for v in layer.variables}
    return all(id(variable) in inside for variable in variables)


def is_small(model: keras.Model) -> bool:
    """Whether another optimizer's update costs less than another program.

    Args:
        model: One that has a `family`.
    """
    parts = blocks_of(model)
    if any(type(block[0]) is not layers.Dense for block in parts.hidden):
        return False
    inputs = math.prod(size or 1 for size in _input_layer(model).batch_shape)
    sizes = [inputs, *parts.widths, supported.width(parts.tail[0])]
    kernels = (a * b for a, b in itertools.pairwise(sizes))
    return sum(kernels) <= _SMALL


def _structure(
    block: list[keras.layers.Layer], own: Collection[int] = (), width: int = 0
) -> tuple:
    """Returns the structure of layers, but for the width of the first."""
    if not block or not supported.is_wide(block[0]):
        return StructureReader(own).read(list(block))
    before = supported.width(block[0])
    supported.set_width(block[0], width)
    try:
        return StructureReader(own).read(list(block))
    finally:
        supported.set_width(block[0], before)


def _input(model: keras.Sequential) -> tuple[tuple, str]:
    layer = _input_layer(model)
    return tuple(layer.batch_shape), str(layer.dtype)


def _input_layer(model: keras.Sequential) -> keras.layers.InputLayer:
    return first_of_sequential(model)


def _has_input(model: keras.Sequential) -> bool:
    return isinstance(first_of_sequential(model), layers.InputLayer)
