"""Running a graph of layers over a whole data set, a stretch at a time.

The only file of the layers that uses private names of Keras: `Functional` and
its nodes, which no public function gives, and the mask that a tensor carries.
"""

import pickle
import tempfile
from dataclasses import dataclass

import keras
from keras import ops
from keras.src.models.functional import Functional

# What waits between two stretches goes to a file beyond this size.
MEMORY = 2**30


class NotAGraph(Exception):  # noqa: N818 (it is no error of the user's)
    """A layer sits where it can be reached only by running the whole model."""


@dataclass
class _Step:
    """One call of an operation; tensors are known by number."""

    node: object
    inputs: list
    outputs: list
    round: int = 0

    @property
    def operation(self):
        return self.node.operation

    def run(self, tensors):
        symbols = (id(tensor) for tensor in self.node.input_tensors)
        values = [tensors[number] for number in self.inputs]
        args, kwargs = self.node.arguments.fill_in(
            dict(zip(symbols, values, strict=True))
        )
        if "training" in getattr(self.operation, "_call_context_args", ()):
            kwargs = {**kwargs, "training": False}
        outputs = keras.tree.flatten(self.operation(*args, **kwargs))
        tensors.update(zip(self.outputs, outputs, strict=True))


class Sweep:
    """Stretches of a model's graph, each up to the next layers of interest.

    In each round the values of the last one are carried on to the `stops` that
    depend on those of earlier rounds only. So each example passes each layer
    once, and a stop can be changed when it has seen all examples and before any
    goes on from it.

    Attributes:
        order: For each round the stops that it reaches.

    Raises:
        NotAGraph: If a stop is inside a layer or model written as a class.
        ValueError: If a stop depends on its own output.
    """

    def __init__(self, model, stops, data):
        self._stops, self._data = set(stops), data
        self._graph = _graph_of(model)
        if self._graph is None:
            raise NotAGraph
        self._steps, self._tensors = [], 0
        self._inputs = self._numbers(self._graph.inputs)
        self._inline(self._graph, self._inputs)
        reached = self._rounds_of_stops()
        self.order = [
            [stop for stop in stops if reached.get(stop) == number]
            for number in range(1 + max(reached.values(), default=-1))
        ]
        self._plan(reached)
        self._number, self._waiting = 0, None

    def _numbers(self, symbols):
        self._tensors += len(symbols)
        return list(range(self._tensors - len(symbols), self._tensors))

    def _inline(self, graph, inputs):
        """Appends the steps of `graph`; returns the numbers of its outputs."""
        number = dict(zip(map(id, graph.inputs), inputs, strict=True))
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in graph._nodes_by_depth[depth]:
                if node.is_input:
                    continue
                given = [number[id(symbol)] for symbol in node.input_tensors]
                if self._has_stop_inside(node.operation):
                    made = self._inline(_graph_called_by(node), given)
                else:
                    made = self._numbers(node.outputs)
                    self._steps.append(_Step(node, given, made))
                number.update(zip(map(id, node.outputs), made, strict=True))
        return [number[id(symbol)] for symbol in graph.outputs]

    def _has_stop_inside(self, operation):
        if operation in self._stops or not isinstance(
            operation, keras.layers.Layer
        ):
            return False
        return not self._stops.isdisjoint(operation._flatten_layers())

    def _rounds_of_stops(self):
        """Returns for each stop the first round that has all of its inputs."""
        reached = {
            step.operation: 0
            for step in self._steps
            if step.operation in self._stops
        }
        for _ in range(len(reached) + 1):
            before = dict(reached)
            self._set_rounds(before)
            for step in self._steps:
                if step.operation in reached:
                    stop = step.operation
                    reached[stop] = max(reached[stop], step.round)
            if reached == before:
                return reached
        raise ValueError(
            "A batch-normalization layer of the model is called on what it has "
            "itself normalized, so its inputs have no statistics before it has "
            "been set. Use a layer of its own for each place."
        )

    def _set_rounds(self, reached):
        ready = dict.fromkeys(self._inputs, 0)
        for step in self._steps:
            step.round = max((ready[i] for i in step.inputs), default=0)
            after = reached.get(step.operation, step.round - 1) + 1
            ready.update(dict.fromkeys(step.outputs, after))

    def _plan(self, reached):
        """Lists the steps of each round, without those that reach no stop."""
        self._rounds = [[] for _ in self.order]
        self._last_use = {}

        def add(number, step):
            self._rounds[number].insert(0, step)
            for tensor in step.inputs:
                last = self._last_use.get(tensor, number)
                self._last_use[tensor] = max(last, number)

        for step in reversed(self._steps):
            wanted = any(i in self._last_use for i in step.outputs)
            if step.operation in self._stops:
                number = reached[step.operation]
                if wanted:
                    add(number + 1, step)
                add(number, step)
            elif wanted:
                add(step.round, step)

    def batches(self):
        """Runs the next round, yielding after each batch."""
        number, waiting = self._number, self._waiting
        self._number, self._waiting = number + 1, _Store()
        for tensors in waiting or self._given():
            for step in self._rounds[number]:
                step.run(tensors)
            self._waiting.add(
                {
                    i: tensor
                    for i, tensor in tensors.items()
                    if self._last_use.get(i, -1) > number
                }
            )
            yield
        if waiting:
            waiting.close()

    def _given(self):
        for x in self._data:
            flat = self._graph._standardize_inputs(x)
            yield dict(zip(self._inputs, flat, strict=True))

    def close(self):
        if self._waiting:
            self._waiting.close()


class _Store:
    """A queue of tensors by number, each with its mask."""

    def __init__(self):
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY)  # noqa: SIM115
        self._length = 0

    def add(self, tensors):
        arrays = {
            number: (_as_array(tensor), _as_array(_mask_of(tensor)))
            for number, tensor in tensors.items()
        }
        pickle.dump(arrays, self._file, protocol=5)
        self._length += 1

    def __iter__(self):
        self._file.seek(0)
        for _ in range(self._length):
            tensors = {}
            for number, (array, mask) in pickle.load(self._file).items():
                tensors[number] = ops.convert_to_tensor(array)
                if mask is not None:
                    mask = ops.convert_to_tensor(mask)
                    tensors[number]._keras_mask = mask
            yield tensors

    def close(self):
        self._file.close()


def _mask_of(tensor):
    return getattr(tensor, "_keras_mask", None)


def _as_array(tensor):
    return None if tensor is None else ops.convert_to_numpy(tensor)


def _graph_of(operation):
    """Returns the `Functional` that a model runs as it stands, or None."""
    if isinstance(operation, keras.Sequential):
        plain = type(operation).call is keras.Sequential.call
        return operation._functional if plain else None
    if isinstance(operation, Functional):
        plain = type(operation).call is Functional.call
        return operation if plain else None
    return None


def _graph_called_by(node):
    """Returns the graph of the model that a node calls with all its inputs.

    Raises:
        NotAGraph: If it is not a graph, or if calling it does more than running
            the graph on the node's inputs as they are.
    """
    graph, arguments = _graph_of(node.operation), node.arguments
    if graph is None or arguments.kwargs or len(arguments.args) != 1:
        raise NotAGraph
    [given] = arguments.args
    given = given if isinstance(given, list | tuple) else [given]
    if [type(symbol) for symbol in given] != [
        type(symbol) for symbol in graph.inputs
    ]:
        raise NotAGraph
    for symbol, inner in zip(given, graph.inputs, strict=True):
        if symbol.ndim != inner.ndim or symbol.dtype != inner.dtype:
            raise NotAGraph
    return graph
