"""How many multiplications networks take, alone and embedded in a large one."""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.functional.layer_traits import steps_of
from tfcourse.tuning.supernet.graph import Graph, Node
from tfcourse.tuning.supernet.merged import (
    Merged,
    MergedNode,
    align,
    alike,
    merge,
)
from tfcourse.tuning.supernet.settings import inner
from tfcourse.tuning.supernet.signature import Parts, parts_of
from tfcourse.tuning.supernet.supported import TRANSPOSED
from tfcourse.utils.keras_private import every_layer

_CONVOLUTIONS = layers.Conv1D, layers.Conv2D, layers.Conv3D
# How many matrices of the size of one gate's a cell has.
_GATES = {layers.LSTM: 4, layers.GRU: 3, layers.SimpleRNN: 1}


class Product(NamedTuple):
    """A matrix product that a layer computes for each example.

    Attributes:
        times: How often.
        before: How many features it takes.
        after: How many it gives.
    """

    times: float
    before: int
    after: int


class Work:
    """The multiplications of a forward pass of one example.

    Those of a supernet are what its largest layers need: a narrow network that
    is embedded in it takes as long as a wide one.

    Args:
        models: Compiled models, built or deferred: of one `family`, or all of
            one structure.
    """

    def __init__(self, models: list[keras.Model]) -> None:
        rows = _rows(models)
        keys = sorted({key for row in rows for key in row})
        nothing = Product(0, 0, 0)
        products = [[row.get(key, nothing) for key in keys] for row in rows]
        # By model and product; where a model has no such layer, 0.
        self._arrays = np.array(products, float).reshape(len(rows), -1, 3)
        # The products of each block, those of its first instance first.
        self._blocks = [
            [i for i, (group, _, n) in enumerate(keys) if (group, n) == block]
            for block in {(group, number) for group, _, number in keys}
        ]

    @property
    def alone(self) -> np.ndarray:
        """What each model takes by itself."""
        return self._arrays.prod(axis=2).sum(axis=1)

    def of_supernets(self, order: list[int]) -> np.ndarray:
        """Returns what a supernet takes that holds the first models.

        Args:
            order: The indices of the models.

        Returns:
            For each model: what the supernet of it and of those before it
            takes.
        """
        own = self._arrays[order]
        is_there = own[..., 0] > 0
        optional = np.logical_or.accumulate(is_there)
        optional &= ~np.logical_and.accumulate(is_there)
        count, before, after = np.maximum.accumulate(own).transpose(2, 0, 1)
        for block in self._blocks:
            # All instances of what not all have are as wide as the widest.
            widest = after[:, block].max(axis=1, keepdims=True)
            widest *= optional[:, block].any(axis=1, keepdims=True)
            for array, some in ((after, block), (before, block[1:])):
                array[:, some] = np.maximum(array[:, some], widest)
        return (count * before * after).sum(axis=1)


def recurrent_steps(model: keras.Model) -> list[int | None]:
    """Returns how many steps each recurrent layer takes, if it is known."""
    parts = parts_of(model)
    shapes = parts and _shapes(parts.graph)
    if parts is None or shapes is None:
        some = every_layer(model)
        return [steps_of(x) for x in some if isinstance(x, layers.RNN)]
    return [
        shapes[node.inputs[0].node][1]
        for node in parts.graph.nodes
        if isinstance(inner(node.layer), layers.RNN)
    ]


def _rows(models: list[keras.Model]) -> list[dict]:
    """Returns the products of each model, by place in what holds all."""
    nothing: list[dict] = [{} for _ in models]
    parts = [some for some in map(parts_of, models) if some is not None]
    if len(parts) < len(models) or not all(x.sizes_matter for x in parts):
        # All are the same: nothing is padded.
        return nothing
    shapes = [_shapes(some.graph) for some in parts]
    try:
        merged = merge([some.elements for some in parts])
    except CannotVectorize:
        return nothing
    groups = list(alike(merged))
    return [
        {} if known is None else _row(some, known, merged, groups)
        for some, known in zip(parts, shapes, strict=True)
    ]


def _row(
    own: Parts,
    shapes: dict[Node, tuple],
    merged: list[Merged],
    groups: list[list[MergedNode]],
) -> dict[tuple[int, int, int], Product]:
    """Returns a model's products by group, instance and number."""
    found = align(merged, own.elements).nodes
    return {
        (i, j, k): product
        for i, group in enumerate(groups)
        for j, part in enumerate(group)
        if part in found
        for k, product in enumerate(_products(found[part], shapes))
    }


def _shapes(graph: Graph) -> dict[Node, tuple] | None:
    """Returns the shape of the first output of each node, if all say it."""
    shapes: dict[Node, tuple] = {}
    for node in graph.nodes:
        if node.shapes:
            shapes[node] = node.shapes[0]
            continue
        before = shapes[node.inputs[0].node]
        try:
            shapes[node] = node.layer.compute_output_shape(before)
        except Exception:
            # A user's layer need not say it, before it is called.
            return None
    return shapes


def _products(node: Node, shapes: dict[Node, tuple]) -> list[Product]:
    """Returns the products of a layer; none of those that have few."""
    if not node.inputs:
        return []
    layer, into = inner(node.layer), shapes[node.inputs[0].node]
    out = shapes[node]
    if isinstance(layer, layers.Dense):
        return [Product(_places(out), into[-1], layer.units)]
    if isinstance(layer, (*_CONVOLUTIONS, *TRANSPOSED)):
        places = _places(into if isinstance(layer, TRANSPOSED) else out)
        count = places * math.prod(layer.kernel_size)
        return [Product(count, into[-1], layer.filters)]
    if type(layer) in _GATES:
        both = 2 if isinstance(node.layer, layers.Bidirectional) else 1
        count = (into[1] or 1) * _GATES[type(layer)] * both
        sizes = into[-1], layer.units
        return [Product(count, size, layer.units) for size in sizes]
    return []


def _places(shape: tuple) -> int:
    """Returns how many places there are; an axis of any length counts as 1."""
    return math.prod(size or 1 for size in shape[1:-1])
