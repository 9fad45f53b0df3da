"""What networks of different sizes must share to be laid into one."""

import dataclasses
import itertools
import math

import keras
from keras import layers

from tfcourse.tuning.population.structure import (
    StructureReader,
    compile_structure,
)
from tfcourse.tuning.supernet import supported as rules

# Of larger networks an update is not computed for nothing.
_SMALL = 2**16
_OF_OPTIMIZER = "optimizer"


@dataclasses.dataclass
class Anatomy:
    """The layers of a `keras.Sequential`, by their place in it.

    Attributes:
        prefix: Those before the first wide one: the same for all members.
        blocks: Lists of hidden layers, each begins with a wide one.
        tail: The last dense layer, and what follows it.
    """

    prefix: list
    blocks: list
    tail: list

    @property
    def repeats(self):
        """Whether the blocks are alike, so that some may be passed by."""
        first = self.blocks[0]
        return (
            all(type(layer) is not layers.Flatten for layer in first)
            and type(first[0]) is layers.Dense
            and len({described(block) for block in self.blocks}) == 1
        )

    @property
    def widths(self):
        return tuple(rules.width(block[0]) for block in self.blocks)


def anatomy(model):
    """Returns the `Anatomy` of a model, or None if it cannot be laid.

    Args:
        model: A compiled `keras.Sequential`, built or drafted.
    """
    if type(model) is not keras.Sequential or not _has_input(model):
        return None
    every = model.layers
    wide = [i for i, layer in enumerate(every) if rules.is_wide(layer)]
    if len(wide) < 2 or type(every[wide[-1]]) is not layers.Dense:
        return None
    hidden = every[wide[0] : wide[-1]]
    if not (
        rules.optimizer_will_do(model.optimizer)
        and all(map(rules.layer_will_do, every[wide[0] :]))
        and all(map(rules.passes_origin, hidden))
    ):
        return None
    blocks = [every[a:b] for a, b in itertools.pairwise(wide)]
    return Anatomy(every[: wide[0]], blocks, every[wide[-1] :])


def family(model):
    """Returns what networks must share to be laid into one, or None.

    Args:
        model: A compiled model, built or drafted.

    Returns:
        Nested tuples, which are hashable: an outline, and the optimizer's
        structure. Networks of one outline may be laid into one `Supernet`.
    """
    parts = anatomy(model)
    if parts is None:
        return None
    blocks = tuple(described(block) for block in parts.blocks)
    if parts.repeats:
        # It does not matter how many there are.
        blocks = ("repeated", blocks[0])
    compiled = dict(compile_structure(model))
    optimizer = compiled.pop(_OF_OPTIMIZER)
    return (
        (
            "laid",
            _input(model),
            described(parts.prefix),
            blocks,
            described(parts.tail, rules.width(parts.tail[0])),
            tuple(compiled.items()),
        ),
        optimizer,
    )


def is_small(model):
    """Whether another optimizer's update costs less than another program."""
    parts = anatomy(model)
    if any(type(block[0]) is not layers.Dense for block in parts.blocks):
        return False
    inputs = math.prod(size or 1 for size in _input_layer(model).batch_shape)
    sizes = [inputs, *parts.widths, rules.width(parts.tail[0])]
    kernels = (a * b for a, b in itertools.pairwise(sizes))
    return sum(kernels) <= _SMALL


def described(some, width=0):
    """Returns the structure of layers, but for the width of the first."""
    if not some or not rules.is_wide(some[0]):
        return StructureReader().read(list(some))
    first, name = some[0], rules.WIDTHS[type(some[0])]
    before = getattr(first, name)
    setattr(first, name, width)
    try:
        return StructureReader().read(list(some))
    finally:
        setattr(first, name, before)


def _input(model):
    layer = _input_layer(model)
    return tuple(layer.batch_shape), str(layer.dtype)


def _input_layer(model):
    # `layers` leaves it out.
    return model._layers[0]


def _has_input(model):
    return isinstance((model._layers or [None])[0], layers.InputLayer)
