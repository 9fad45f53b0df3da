"""The one walk over the graph of a functional model."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from tfcourse.utils.keras_private import Call, calls


def propagate(
    graph: keras.Model,
    inputs: Sequence[Any],
    through: Callable[[Call, list], Sequence[Any]],
) -> list:
    """Carries values of any kind from the inputs of a graph to its outputs.

    What is known of a tensor may be its number, the step that made it, or
    whatever else: `through` says how a call hands it on.

    Args:
        graph: A functional model.
        inputs: The value of each of its inputs.
        through: Called once for each call in the graph, in the order of its
            running, with the `Call` and the values of its inputs. Returns the
            values of its outputs.

    Returns:
        The value of each output of the graph.
    """
    value_of = dict(zip(map(id, graph.inputs), inputs, strict=True))
    for call in calls(graph):
        given = [value_of[id(tensor)] for tensor in call.inputs]
        made = through(call, given)
        value_of.update(zip(map(id, call.outputs), made, strict=True))
    return [value_of[id(out)] for out in keras.tree.flatten(graph.outputs)]
