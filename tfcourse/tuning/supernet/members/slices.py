"""Which part of the variables of a supernet a network has."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import layers

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.supernet.blocks.optional_block import (
    Chosen,
    SmallerKernels,
)
from tfcourse.tuning.supernet.build import Built
from tfcourse.tuning.supernet.merged import (
    Alignment,
    Merged,
    MergedNode,
    MergedRepeat,
)
from tfcourse.tuning.supernet.sizes import part_of_kernel
from tfcourse.tuning.supernet.supported import (
    DEPTHWISE,
    TRANSPOSED,
    Role,
    role,
    width,
)

# Boolean masks, one an axis, of which part of a variable a network has.
Masks = list[np.ndarray]
# Which of an output's features a network has, or None if all.
Features = Any
# What the axes of a variable are: the last ones, by its name.
_INPUTS, _OUTPUTS, _ALL = "inputs", "outputs", "all"
_AXES = {
    "kernel": (_INPUTS, _OUTPUTS),
    "recurrent_kernel": (_OUTPUTS, _OUTPUTS),
    "depthwise_kernel": (_INPUTS, _ALL),
    "pointwise_kernel": (_INPUTS, _OUTPUTS),
    "embeddings": (_ALL, _OUTPUTS),
    "alpha": (_OUTPUTS,),
    "bias": (_OUTPUTS,),
}


def slices_of_layers(
    built: Built,
    merged: list[Merged],
    found: Alignment,
    seeds: set[int],
) -> Iterator[tuple[Any, Any, Masks | None]]:
    """Yields a model's variables, the supernet's, and which part they are.

    Args:
        built: The supernet.
        merged: Its merged elements.
        found: Where the model lies in them.
        seeds: The ids of variables that are left out.

    Yields:
        A variable of the model, that which it is a slice of, and the masks, or
        None if it is all of it.

    Raises:
        CannotVectorize: If a variable is of no such shape.
    """
    features = FeatureReader(built, found)
    features.read(merged)
    for part, own, variable in variables_of_layers(built, found, seeds):
        small, large = found.nodes[part].layer, built.layers[part]
        masks = _masks(small, large, variable, *features.of_nodes[part])
        shape = variable.shape if masks is None else map(np.sum, masks)
        if tuple(own.shape) != tuple(shape):
            raise CannotVectorize(
                f"{own.path} is not a slice of a larger network"
            )
        yield own, variable, masks


def variables_of_layers(
    built: Built, found: Alignment, seeds: set[int]
) -> Iterator[tuple[MergedNode, Any, Any]]:
    """Yields each of a model's variables, and where the supernet has it.

    Args:
        built: The supernet.
        found: Where the model lies in it.
        seeds: The ids of variables that are left out.

    Yields:
        The node, the model's variable and the supernet's.
    """
    for part, node in found.nodes.items():
        small, large = node.layer, built.layers[part]
        if isinstance(large, Chosen) or not isinstance(large, layers.Layer):
            continue
        mask = getattr(large, "kernel_mask", None)
        variables = [
            v for v in large.variables if v is not mask and id(v) not in seeds
        ]
        of_small = [v for v in small.variables if id(v) not in seeds]
        for own, variable in zip(of_small, variables, strict=True):
            yield part, own, variable


def feature_masks(
    built: Built, merged: list[Merged], found: Alignment
) -> Iterator[tuple[keras.Variable, np.ndarray]]:
    """Yields the variables that say which features a model has, and it."""
    features = FeatureReader(built, found)
    features.read(merged)
    for part, masks in built.masks.items():
        for time, mask in enumerate(masks):
            own = features.of_calls.get((part, time))
            shape = mask.mask.shape
            yield (
                mask.mask,
                np.ones(shape, "f") if own is None else (own.astype("f")),
            )


def shapes_of_absent(
    built: Built, merged: list[Merged], found: Alignment
) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """Yields the variables of layers that a model does not have, and shapes.

    With these they take what the model has before them, and give one feature.

    Args:
        built: The supernet.
        merged: Its merged elements.
        found: Where the model lies in them.
    """
    features = FeatureReader(built, found, absent=True)
    features.read(merged)
    for part, layer in built.layers.items():
        if part in found.nodes or isinstance(layer, Chosen):
            continue
        for variable in getattr(layer, "variables", ()):
            of_node = features.of_nodes[part]
            masks = _masks(layer, layer, variable, *of_node)
            sizes = variable.shape if masks is None else map(np.sum, masks)
            yield variable, tuple(map(int, sizes))


class FeatureReader:
    """Finds which features of each output a model has.

    Args:
        built: The supernet.
        found: Where the model lies in it.
        absent: Whether layers that it does not have are read, too, as of one
            feature.

    Attributes:
        of_nodes: For each node, which features it sees, and which it gives.
        of_calls: Which it gives each time that it is called, by their number.
        times: At which of the times that it is called the model's goes on.
    """

    def __init__(
        self, built: Built, found: Alignment, absent: bool = False
    ) -> None:
        self._built = built
        self._found = found
        self._absent = absent
        # The newest outputs, by the place of the node that gives them.
        self._outputs: dict[int, list[Features]] = {}
        self.of_nodes: dict[MergedNode, tuple[Features, Features]] = {}
        self.of_calls: dict[tuple[MergedNode, int], Features] = {}
        self.times: dict[MergedNode, int] = {}

    def of_outputs(self, part: MergedNode) -> Features:
        """Returns which features of a node's first output the model has."""
        return self.of_calls[part, self.times[part]]

    def read(self, merged: Iterable[Merged]) -> None:
        rest = iter(merged)
        for part in rest:
            if isinstance(part, MergedNode):
                self._read_node(part, 0)
            elif part.has_exits:
                following = list(itertools.islice(rest, part.exits))
                self._leave(part, following)
            else:
                self._read_repeat(part)

    def _read_node(self, part: MergedNode, time: int) -> None:
        inputs = [
            self._outputs[x.node.place][x.number] for x in part.model.inputs
        ]
        before = inputs[0] if inputs else None
        of_inputs, of_outputs = self._built.widths[part][time]
        after = self._after(part, inputs, of_inputs)
        self.of_nodes[part] = before, after
        outputs = [_tiled(after, n) for n in of_outputs]
        self._outputs[part.place] = outputs
        self.of_calls[part, time] = outputs[0]
        self.times[part] = time

    def _after(
        self, part: MergedNode, inputs: list[Features], sizes: list[int]
    ) -> Features:
        """Returns which features a node gives, as often as it has them."""
        kind, large = role(part.model), self._built.layers[part]
        if kind is Role.WIDE:
            own = self._found.nodes.get(part)
            return np.arange(width(large)) < (width(own.layer) if own else 1)
        if kind is Role.OPAQUE or all(x is None for x in inputs):
            return None
        if kind is Role.DEPTHWISE:
            return np.repeat(inputs[0], large.depth_multiplier)
        whole = [
            np.ones(size, bool) if x is None else _padded(x, len(x), size)
            for x, size in zip(inputs, sizes, strict=True)
        ]
        if kind is Role.JOINS:
            return np.concatenate(whole)
        if self._absent:
            # A single one is added to each of the others.
            return np.logical_or.reduce(whole)
        if any((x != whole[0]).any() for x in whole):
            raise CannotVectorize("it adds layers of other widths")
        return whole[0]

    def _read_repeat(self, part: MergedRepeat) -> None:
        numbers = part.numbers(self._count(part))
        gates, last = self._built.gates[part], part.stop - 1
        exit_of_own: Any = None
        for number, some in enumerate(part.instances):
            before = self._outputs[last if number else part.start - 1]
            if number in numbers:
                self.read(some)
                exit_of_own = before = self._outputs[last]
            elif self._absent:
                kept = dict(self._outputs)
                self.read(some)
                # Those after an exit see what those before them give.
                absent = self._outputs[last] if part.has_exits else before
                before, self._outputs = absent, kept
            if number in gates and not part.has_exits:
                sizes = gates[number]
                size = sizes.inside if number in numbers else sizes.before
                before = [_padded(before[0], size, sizes.after)]
            self._outputs[last] = before
        if part.has_exits:
            self._outputs[last] = exit_of_own

    def _count(self, part: MergedRepeat) -> int:
        """Returns how many instances there are: in an absent one the fewest."""
        return self._found.counts.get(part, part.fewest)

    def _leave(self, part: MergedRepeat, following: list[Any]) -> None:
        self._read_repeat(part)
        time = self._count(part) - part.fewest
        for node in following:
            self._read_node(node, time)
        place = following[-1].place
        chosen: Any = self._built.exits[part].output
        after = chosen.shape[-1]
        size = self._built.widths[following[-1]][time][1][0]
        self._outputs[place] = [_padded(self._outputs[place][0], size, after)]


def _tiled(features: Features, size: Any) -> Features:
    """Returns which of so many features, where each is there several times."""
    if features is None:
        return None
    return np.tile(features, size // len(features))


def _padded(features: Features, size: int, after: int) -> Features:
    """Returns the features of an output with zeros after them."""
    if size == after:
        return features
    if features is None:
        features = np.ones(size, bool)
    return np.pad(features, (0, after - size))


def _masks(
    small: Any, large: Any, variable: Any, before: Features, after: Features
) -> Masks | None:
    """Returns, for each axis of a variable, which part a member has.

    Args:
        small: The member's layer.
        large: The supernet's.
        variable: One of its variables.
        before: Which features of its input the member has.
        after: The same for its output.
    """
    names = _AXES.get(variable.name, ())
    if not names and _is_row(variable, after):
        names = (_OUTPUTS,)
    if type(large) in TRANSPOSED:
        names = names[::-1]
    elif type(large) in DEPTHWISE and len(names) > 1:
        names = _AXES["depthwise_kernel"]
    masks = [np.ones(size, bool) for size in variable.shape]
    if variable.name == "pointwise_kernel" and before is not None:
        before = np.repeat(before, large.depth_multiplier)
    if isinstance(large, SmallerKernels) and variable.name == "kernel":
        masks[:-2] = part_of_kernel(
            large.padding, small.kernel_size, large.kernel_size
        )
    for axis, name in zip(range(-len(names), 0), names, strict=True):
        features = {_INPUTS: before, _OUTPUTS: after}.get(name)
        if features is not None:
            masks[axis] = _tiled(features, variable.shape[axis])
    return None if all(mask.all() for mask in masks) else masks


def _is_row(variable: Any, features: Features) -> bool:
    """Whether a variable has a number for each feature."""
    return (
        features is not None
        and variable.shape == features.shape
        and keras.backend.is_float_dtype(variable.dtype)
    )
