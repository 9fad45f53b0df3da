"""A `HyperModel.fit` that is only asked what it would do, and does nothing."""

import collections
import contextlib
import copy
import types
from collections.abc import Iterator
from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.structure.code import globals_read

_CONTAINERS = list, dict, set, collections.deque, collections.Counter


@contextlib.contextmanager
def nothing_changed(
    hypermodel: keras_tuner.HyperModel, data: Any
) -> Iterator[None]:
    """While it lasts, arrays cannot be written to; then all is as before.

    Args:
        hypermodel: Whose `fit` is called.
        data: What it is called with, nested.

    Raises:
        CannotVectorize: If attributes of the hypermodel, or what they hold,
            or lists and the like that its `fit` reads, are others at its end.
    """
    held = [*vars(hypermodel).values(), *_read_by_fit(hypermodel)]
    containers = [value for value in held if type(value) in _CONTAINERS]
    attributes = dict(vars(hypermodel))
    before = [copy.copy(value) for value in containers]
    arrays = [
        value
        for value in keras.tree.flatten([data, held])
        if isinstance(value, np.ndarray) and value.flags.writeable
    ]
    for array in arrays:
        array.flags.writeable = False
    try:
        yield
    finally:
        for array in reversed(arrays):
            array.flags.writeable = True
        changed = _put_back(containers, before)
        if not _same(vars(hypermodel), attributes):
            vars(hypermodel).clear()
            vars(hypermodel).update(attributes)
            changed = True
    if changed:
        raise CannotVectorize("its `HyperModel.fit` changes what it holds")


def _read_by_fit(hypermodel: keras_tuner.HyperModel) -> list[Any]:
    """Returns what the user's `fit` reads that is not the hypermodel's."""
    function = type(hypermodel).fit
    if not isinstance(function, types.FunctionType):
        return []
    cells = function.__closure__ or ()
    with contextlib.suppress(ValueError):
        return [
            *globals_read(function).values(),
            *(cell.cell_contents for cell in cells),
        ]
    return []


def _put_back(containers: list[Any], before: list[Any]) -> bool:
    """Gives containers the items that they had; tells if any had others."""
    changed = False
    for value, items in zip(containers, before, strict=True):
        if not _same(value, items):
            changed = True
            value.clear()
            add = value.update if hasattr(value, "update") else value.extend
            add(items)
    return changed


def _same(one: Any, other: Any) -> bool:
    """Whether containers hold the same objects."""
    if len(one) != len(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            one[key] is other[key] for key in one
        )
    if isinstance(one, (set, frozenset)):
        return one == other
    return all(a is b for a, b in zip(one, other, strict=True))
