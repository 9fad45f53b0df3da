"""The network that others are laid into."""

import math

from tfcourse.tuning.population.deferred import unbuilt
from tfcourse.tuning.population.functional.switched import SwitchedOptimizer
from tfcourse.tuning.population.structure import compile_structure
from tfcourse.tuning.supernet import supported as rules
from tfcourse.tuning.supernet.optional_block import OptionalBlock
from tfcourse.tuning.supernet.signature import anatomy

# Widths are multiples of it, which a processor's registers hold as well.
_STEP = 8


def largest(builds, drafts):
    """Returns a model, built, that all of the drafts can be laid into.

    Args:
        builds: The functions that made the drafts.
        drafts: Models of one `outline`.
    """
    parts = [anatomy(draft) for draft in drafts]
    deepest = max(range(len(parts)), key=lambda k: len(parts[k].blocks))
    with unbuilt():
        model = builds[deepest]()
        own = anatomy(model)
        _widen(own, [part.widths for part in parts])
        if any(len(part.blocks) < len(own.blocks) for part in parts):
            fewest = min(len(part.blocks) for part in parts)
            _make_optional(model, own, fewest)
    model._maybe_rebuild()
    model.optimizer = _optimizer(model, builds, drafts)
    return model


def _widen(own, widths):
    """Gives each hidden layer the largest width that a member has there.

    It is rounded up, so that later members are likely to find room, too.
    """
    count = len(own.blocks)
    if all(len(some) == count for some in widths):
        largest = map(max, zip(*widths, strict=True))
    else:
        # What is passed by must leave the shape as it is.
        largest = [max(map(max, widths))] * count
    for block, number in zip(own.blocks, largest, strict=True):
        width = math.ceil(number / _STEP) * _STEP
        setattr(block[0], rules.WIDTHS[type(block[0])], width)


def _make_optional(model, own, fewest):
    """Puts each block that some do not have into a `OptionalBlock`."""
    for _ in range(sum(map(len, own.blocks[fewest:])) + len(own.tail)):
        model.pop(rebuild=False)
    for block in own.blocks[fewest:]:
        model.add(OptionalBlock(block), rebuild=False)
    for layer in own.tail:
        model.add(layer, rebuild=False)


def _optimizer(model, builds, drafts):
    """Returns the drafts' optimizer, or all that they have; built."""
    kinds = {}
    for build, draft in zip(builds, drafts, strict=True):
        kinds.setdefault(kind_of_optimizer(draft), build)
    optimizers = [model.optimizer]
    if len(kinds) > 1:
        with unbuilt():
            optimizers = [build().optimizer for build in kinds.values()]
    for optimizer in optimizers:
        optimizer.build(model.trainable_variables)
    if len(optimizers) == 1:
        return optimizers[0]
    return SwitchedOptimizer(list(kinds), optimizers, model.trainable_variables)


def kind_of_optimizer(model):
    return dict(compile_structure(model))["optimizer"]
