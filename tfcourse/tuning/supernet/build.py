"""Building the supernet of some networks."""

import math
from collections.abc import Callable, Hashable
from typing import Any

import keras

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.deferred import unbuilt
from tfcourse.tuning.population.functional.switched import SwitchedOptimizer
from tfcourse.tuning.population.structure import (
    compile_structure,
    difference_between,
)
from tfcourse.tuning.supernet.optional_block import OptionalBlock
from tfcourse.tuning.supernet.signature import (
    Blocks,
    blocks_of,
    family,
    present_family,
)
from tfcourse.tuning.supernet.supported import set_width
from tfcourse.utils.keras_private import rebuild

# Widths are multiples of it, which a processor's registers hold as well.
_STEP = 8


def build_supernet(
    builds: list[Callable[[], keras.Model]], models: list[keras.Model]
) -> keras.Model:
    """Returns a model, built, that all of some models can be embedded in.

    Args:
        builds: The functions that made the models.
        models: Deferred models of one `family`.

    Raises:
        CannotVectorize: If a function makes another model than it made before.
    """
    members = [blocks_of(model) for model in models]
    deepest = max(range(len(members)), key=lambda k: len(members[k].hidden))
    with unbuilt():
        supernet = _as_before(builds[deepest], models[deepest])
        own = blocks_of(supernet)
        _widen(own, [member.widths for member in members])
        if any(len(member.hidden) < len(own.hidden) for member in members):
            fewest = min(len(member.hidden) for member in members)
            _make_optional(supernet, own, fewest)
    rebuild(supernet)
    supernet.optimizer = _build_optimizer(supernet, builds, models)
    return supernet


def _widen(own: Blocks, widths: list[tuple[int, ...]]) -> None:
    """Gives each hidden layer the largest width that a member has there.

    It is rounded up, so that later members are likely to find room, too.
    """
    count = len(own.hidden)
    if all(len(some) == count for some in widths):
        largest = list(map(max, zip(*widths, strict=True)))
    else:
        # An optional block must leave the shape as it is.
        largest = [max(map(max, widths))] * count
    for block, width in zip(own.hidden, largest, strict=True):
        set_width(block[0], math.ceil(width / _STEP) * _STEP)


def _make_optional(model: keras.Sequential, own: Blocks, fewest: int) -> None:
    """Puts each block that some do not have into an `OptionalBlock`."""
    for _ in range(sum(map(len, own.hidden[fewest:])) + len(own.tail)):
        model.pop(rebuild=False)
    for block in own.hidden[fewest:]:
        model.add(OptionalBlock(block), rebuild=False)
    for layer in own.tail:
        model.add(layer, rebuild=False)


def _build_optimizer(
    supernet: keras.Model,
    builds: list[Callable[[], keras.Model]],
    models: list[keras.Model],
) -> keras.optimizers.Optimizer | SwitchedOptimizer:
    """Returns the models' optimizer, or all that they have; built."""
    kinds = {}
    for build, model in zip(builds, models, strict=True):
        kinds.setdefault(kind_of_optimizer(model), (build, model))
    optimizers = [supernet.optimizer]
    if len(kinds) > 1:
        with unbuilt():
            optimizers = [
                _as_before(*some).optimizer for some in kinds.values()
            ]
    for optimizer in optimizers:
        optimizer.build(supernet.trainable_variables)
    if len(optimizers) == 1:
        return optimizers[0]
    return SwitchedOptimizer(
        list(kinds), optimizers, supernet.trainable_variables
    )


def kind_of_optimizer(model: keras.Model) -> Hashable:
    """Returns the structure of a model's optimizer."""
    shared = family(model)
    if shared is not None:
        return shared[1]
    return dict(compile_structure(model))["optimizer"]


def _as_before(
    build: Callable[[], keras.Model], model: keras.Model
) -> keras.Model:
    """Returns the model of a function that has made a like one before."""
    made: Any = build()
    before, present = family(model), present_family(made)
    if before != present:
        raise CannotVectorize(
            "its build gives another model each time: "
            f"{difference_between(before or (), present or ())}"
        )
    return made
