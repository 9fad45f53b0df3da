"""Which part of the variables of a supernet a network has."""

from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.supernet.build import Built
from tfcourse.tuning.supernet.merged import (
    Alignment,
    Merged,
    MergedNode,
    MergedRepeat,
)
from tfcourse.tuning.supernet.supported import Role, role, width

# Boolean masks, one an axis, of which part of a variable a network has.
Masks = list[np.ndarray]
# Which of an output's features a network has, or None if all.
Features = np.ndarray | None
# What the axes of a variable are: the last ones, by its name.
_INPUTS, _OUTPUTS = "inputs", "outputs"
_AXES = {
    "kernel": (_INPUTS, _OUTPUTS),
    "recurrent_kernel": (_OUTPUTS, _OUTPUTS),
    "bias": (_OUTPUTS,),
}


def slices_of_layers(
    built: Built, merged: list[Merged], found: Alignment
) -> Iterator[tuple[Any, Any, Masks | None]]:
    """Yields a model's variables, the supernet's, and which part they are.

    Args:
        built: The supernet.
        merged: Its merged elements.
        found: Where the model lies in them.

    Yields:
        A variable of the model, that which it is a slice of, and the masks, or
        None if it is all of it.

    Raises:
        CannotVectorize: If a variable is of no such shape.
    """
    features = _FeatureReader(built, found)
    features.read(merged)
    for part, node in found.nodes.items():
        for own, variable in zip(
            node.layer.variables, built.layers[part].variables, strict=True
        ):
            masks = _masks(variable, *features.of_nodes[part])
            shape = variable.shape if masks is None else map(np.sum, masks)
            if tuple(own.shape) != tuple(shape):
                raise CannotVectorize(
                    f"{own.path} is no slice of a larger network's"
                )
            yield own, variable, masks


class _FeatureReader:
    """Finds which features of each output a model has.

    Attributes:
        of_nodes: For each node, which features it sees, and which it gives.
    """

    def __init__(self, built: Built, found: Alignment) -> None:
        self._built = built
        self._found = found
        # The newest outputs, by the place of the node that gives them.
        self._outputs: dict[int, list[Features]] = {}
        self.of_nodes: dict[MergedNode, tuple[Features, Features]] = {}

    def read(self, merged: Iterable[Merged]) -> None:
        for part in merged:
            if isinstance(part, MergedNode):
                self._read_node(part)
            else:
                self._read_repeat(part)

    def _read_node(self, part: MergedNode) -> None:
        node, large = self._found.nodes[part], self._built.layers[part]
        inputs = [
            self._outputs[x.node.place][x.number] for x in part.model.inputs
        ]
        before, after = inputs[0] if inputs else None, None
        kind, sizes = role(part.model), self._built.widths[part]
        if kind is Role.WIDE:
            after = np.arange(width(large)) < width(node.layer)
        elif kind is not Role.OPAQUE:
            after = before
        self.of_nodes[part] = before, after
        self._outputs[part.place] = [_tiled(after, size) for size in sizes]

    def _read_repeat(self, part: MergedRepeat) -> None:
        numbers = part.numbers(self._found.counts[part])
        gates = self._built.gates[part]
        for number, some in enumerate(part.instances):
            last = part.stop - 1
            before = self._outputs[last if number else part.start - 1]
            if number in numbers:
                self.read(some)
                before = self._outputs[last]
            if number in gates:
                sizes = gates[number]
                size = sizes.inside if number in numbers else sizes.before
                before = [_padded(before[0], size, sizes.after)]
            self._outputs[last] = before


def _tiled(features: Features, size: Any) -> Features:
    """Returns which of so many features, where each is there several times."""
    if features is None:
        return None
    return np.tile(features, size // len(features))


def _padded(features: Features, size: int, after: int) -> Features:
    """Returns the features of an output with zeros after them."""
    if features is None:
        features = np.ones(size, bool)
    return np.pad(features, (0, after - size))


def _masks(variable: Any, before: Features, after: Features) -> Masks | None:
    """Returns, for each axis of a variable, which part a member has.

    Args:
        variable: One of the supernet's.
        before: Which features of the layer's input the member has.
        after: The same for the layer's output.
    """
    if not keras.backend.is_float_dtype(variable.dtype):
        return None
    shape = variable.shape
    names = _AXES.get(variable.name)
    if names is None:
        # One number a feature, or nothing that depends on features.
        is_row = len(shape) == 1 and after is not None
        names = (_OUTPUTS,) if is_row and shape[0] == len(after) else ()
    masks = [np.ones(size, bool) for size in shape]
    for axis, name in zip(range(-len(names), 0), names, strict=True):
        features = before if name == _INPUTS else after
        if features is not None:
            masks[axis] = _tiled(features, shape[axis])
    return None if all(mask.all() for mask in masks) else masks
