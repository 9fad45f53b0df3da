"""Which layers' outputs a loss gets to see as they are."""

from typing import Any

import keras
from keras import layers

from tfcourse.utils.keras_private import calls, every_layer, graph_of

# Each gives a new array, whatever the one that it was given.
_MIX = (
    layers.Dense,
    layers.EinsumDense,
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.RNN,
    layers.Conv1D.__mro__[1],
    layers.DepthwiseConv1D.__mro__[1],
    layers.SeparableConv1D.__mro__[1],
)


def shown_to_losses(model: Any) -> set[int]:
    """Returns the ids of layers whose outputs may be those of a model.

    A softmax or sigmoid among them is one that Keras's losses look behind.
    """
    if isinstance(model, keras.Sequential):
        return _of_chain(model.layers)
    graph = graph_of(model)
    if graph is None:
        return {id(layer) for layer in every_layer(model)}
    return _of_graph(graph)


def _of_chain(chain: list[Any]) -> set[int]:
    shown: set[int] = set()
    for layer in reversed(chain):
        shown |= _with_parts(layer)
        if isinstance(layer, _MIX):
            break
    return shown


def _of_graph(graph: keras.Model) -> set[int]:
    makers = {
        id(output): call for call in calls(graph) for output in call.outputs
    }
    shown: set[int] = set()
    waiting = list(graph.outputs)
    while waiting:
        call = makers.pop(id(waiting.pop()), None)
        if call is None:
            continue
        shown |= _with_parts(call.operation)
        if not isinstance(call.operation, _MIX):
            waiting += call.inputs
    return shown


def _with_parts(layer: Any) -> set[int]:
    if isinstance(layer, keras.layers.Layer):
        return {id(part) for part in every_layer(layer)}
    return {id(layer)}
