"""The layers of a model, in an order that nothing but its structure tells."""

import collections
import dataclasses
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
from keras import layers

from tfcourse.tuning.population.settings.forms.noise import (
    can_draw_as_narrow,
)
from tfcourse.tuning.population.settings.gaps import (
    OptionalNoise,
    optional_noise,
)
from tfcourse.utils.keras_private import (
    Call,
    calls,
    first_of_sequential,
    is_plain_functional,
)


@dataclasses.dataclass(eq=False)
class Node:
    """One call of a layer, or of an operation of `keras.ops`.

    Attributes:
        layer: What is called.
        inputs: The outputs of others that it takes.
        call: How it is called; None where it takes the one before, and no
            more.
        shapes: The shapes of its outputs, where the model tells.
        shared: Whether it is called more than once.
        noise: Layers of dropout on its output, which others may not have.
        place: Its place among the nodes of a shallow model of its family; see
            `repeats`.
    """

    layer: Any
    inputs: "list[Output]"
    call: Call | None = None
    shapes: list[tuple] | None = None
    shared: bool = False
    noise: list[OptionalNoise] = dataclasses.field(default_factory=list)
    place: int = -1


class Output(NamedTuple):
    """One of the outputs of a node, by its number."""

    node: Node
    number: int


@dataclasses.dataclass
class Graph:
    """A model as nodes.

    Attributes:
        inputs: The nodes of its input layers.
        nodes: All nodes, each after those that it needs.
        outputs: What the model gives.
        ends: Of which nested structures its inputs and its outputs are, the
            tensors replaced by their numbers.
    """

    inputs: list[Node]
    nodes: list[Node]
    outputs: list[Output]
    ends: tuple[Any, Any]


def graph_of_nodes(model: keras.Model) -> Graph | None:
    """Returns a model as a `Graph`, or None if it is none of Keras's own.

    Args:
        model: A `keras.Sequential` of a known input, built or not, or a
            functional model.
    """
    if overrides(model):
        return None
    if type(model) is keras.Sequential:
        first = first_of_sequential(model)
        if isinstance(first, layers.InputLayer):
            return _of_chain(first, model.layers)
    elif is_plain_functional(model):
        return _of_functional(model)
    return None


def join_noise(graph: Graph) -> None:
    """Takes dropout that others may not have to the node that it is after."""
    uses = collections.Counter(
        output for node in graph.nodes for output in node.inputs
    )
    uses.update(graph.outputs)
    homes: dict[Output, Output] = {}
    for node in list(graph.nodes):
        node.inputs = [homes.get(x, x) for x in node.inputs]
        noise = can_draw_as_narrow(node.layer) and optional_noise(node.layer)
        if not noise or node.shared or node.call or len(node.inputs) != 1:
            continue
        (before,) = node.inputs
        original = next((k for k, v in homes.items() if v == before), before)
        one_output = len(before.node.shapes or [None]) == 1
        if uses[original] == 1 and one_output and not before.node.shared:
            before.node.noise.append(noise)
            homes = {k: v for k, v in homes.items() if v != before}
            homes[Output(node, 0)] = before
            graph.nodes.remove(node)
    graph.outputs[:] = [homes.get(x, x) for x in graph.outputs]


def _of_chain(first: Any, others: list[Any]) -> Graph:
    nodes = [Node(first, [], shapes=[tuple(first.batch_shape)])]
    counts = collections.Counter(map(id, others))
    for layer in others:
        nodes.append(
            Node(layer, [Output(nodes[-1], 0)], shared=counts[id(layer)] > 1)
        )
    return Graph(nodes[:1], nodes, [Output(nodes[-1], 0)], (0, 0))


def _of_functional(model: Any) -> Graph:
    every = calls(model)
    counts = collections.Counter(id(call.operation) for call in every)
    sources: dict[int, tuple[Any, int]] = {
        id(tensor): (call, number)
        for call in every
        for number, tensor in enumerate(call.outputs)
    }
    sources |= {
        id(layer.output): (layer, 0)
        for layer in model.layers
        if isinstance(layer, layers.InputLayer)
    }
    made: dict[int, Node] = {}

    def output(tensor: Any) -> Output:
        source, number = sources[id(tensor)]
        return Output(made[id(source)], number)

    for source in _in_order([*model.outputs, *model.inputs], sources):
        if not isinstance(source, Call):
            made[id(source)] = Node(source, [], shapes=_shapes([source.output]))
            continue
        made[id(source)] = Node(
            source.operation,
            list(map(output, source.inputs)),
            None if _is_plain(source) else source,
            _shapes(source.outputs),
            counts[id(source.operation)] > 1,
        )
    return Graph(
        [output(tensor).node for tensor in model.inputs],
        list(made.values()),
        list(map(output, model.outputs)),
        (
            _numbered(model.input, model.inputs),
            _numbered(model.output, model.outputs),
        ),
    )


def _in_order(tensors: list[Any], sources: dict) -> Iterator[Any]:
    """Yields what gives tensors, each as soon as a next one needs it."""
    done, stack = set(), [(tensor, False) for tensor in reversed(tensors)]
    while stack:
        tensor, needed_are_done = stack.pop()
        source, _ = sources[id(tensor)]
        if id(source) in done:
            continue
        if needed_are_done or not isinstance(source, Call):
            done.add(id(source))
            yield source
        else:
            stack.append((tensor, True))
            stack += [(x, False) for x in reversed(source.inputs)]


def _shapes(tensors: list[Any]) -> list[tuple]:
    return [tuple(tensor.shape) for tensor in tensors]


def _numbered(nested: Any, tensors: list[Any]) -> Any:
    """Returns a nested structure with numbers for tensors."""
    numbers = {id(tensor): i for i, tensor in enumerate(tensors)}
    return keras.tree.map_structure(lambda x: numbers[id(x)], nested)


def _is_plain(call: Call) -> bool:
    """Whether a layer is called with nothing but the output of another."""
    return (
        len(call.args) == 1
        and keras.backend.is_keras_tensor(call.args[0])
        and takes_no_more(call)
    )


def takes_no_more(call: Call) -> bool:
    """Whether a call has no named arguments but those that are defaults."""
    return all(
        value is None or (name == "training" and value is False)
        for name, value in call.kwargs.items()
    )


def overrides(thing: Any) -> bool:
    """Whether an object has a method of its own, unlike its class."""
    return any(
        isinstance(value, (types.FunctionType, types.MethodType))
        and callable(getattr(type(thing), name, None))
        and not _wraps_its_own(thing, name, value)
        for name, value in vars(thing).items()
        if name != "loss"
    )


def _wraps_its_own(thing: Any, name: str, method: Any) -> bool:
    """Whether a method does what that of the class does, as Keras lets it."""
    wrapped = getattr(method, "__wrapped__", None)
    return getattr(wrapped, "__func__", None) is getattr(type(thing), name)
