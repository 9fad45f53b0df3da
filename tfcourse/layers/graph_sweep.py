"""Running a graph of layers over a whole data set, a stretch at a time."""

import pickle
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from tfcourse.layers.functional_graph import propagate
from tfcourse.utils.keras_private import (
    Call,
    every_layer,
    graph_of,
    mask_of,
    set_mask,
    standardized_inputs,
)

# What waits between two stretches goes to a file beyond this size.
MEMORY = 2**30


class NotAGraph(Exception):  # noqa: N818 (it is no error of the user's)
    """A layer sits where it can be reached only by running the whole model."""


@dataclass
class _Step:
    """One call of an operation; tensors are known by number."""

    call: Call
    inputs: list[int]
    outputs: list[int]
    round: int = 0

    @property
    def operation(self) -> Any:
        return self.call.operation

    def run(self, tensors: dict[int, Any]) -> None:
        """Adds the outputs to the tensors there are."""
        outputs = self.call.run([tensors[number] for number in self.inputs])
        tensors.update(zip(self.outputs, outputs, strict=True))


class GraphSweep:
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

    def __init__(
        self,
        model: keras.Model,
        stops: Sequence[keras.layers.Layer],
        data: Iterable[Any],
    ) -> None:
        self._stops, self._data = set(stops), data
        self._graph = graph_of(model)
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

        def through(call, given):
            if self._has_stop_inside(call.operation):
                return self._inline(_graph_called_by(call), given)
            made = self._numbers(call.outputs)
            self._steps.append(_Step(call, given, made))
            return made

        return propagate(graph, inputs, through)

    def _has_stop_inside(self, operation):
        if operation in self._stops or not isinstance(
            operation, keras.layers.Layer
        ):
            return False
        return not self._stops.isdisjoint(every_layer(operation))

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
            "A batch-normalization layer of the model is called on its own "
            "output, so its inputs have no statistics until it has been set. "
            "Use a separate layer for each place."
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

    def batches(self) -> Iterator[None]:
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
            flat = standardized_inputs(self._graph, x)
            yield dict(zip(self._inputs, flat, strict=True))

    def close(self) -> None:
        if self._waiting:
            self._waiting.close()


class _Store:
    """A queue of tensors by number, each with its mask."""

    def __init__(self):
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY)  # noqa: SIM115
        self._length = 0

    def add(self, tensors: dict[int, Any]) -> None:
        arrays = {
            number: (_as_array(tensor), _as_array(mask_of(tensor)))
            for number, tensor in tensors.items()
        }
        pickle.dump(arrays, self._file, protocol=5)
        self._length += 1

    def __iter__(self) -> Iterator[dict[int, Any]]:
        self._file.seek(0)
        for _ in range(self._length):
            tensors = {}
            for number, (array, mask) in pickle.load(self._file).items():
                tensors[number] = ops.convert_to_tensor(array)
                if mask is not None:
                    set_mask(tensors[number], ops.convert_to_tensor(mask))
            yield tensors

    def close(self) -> None:
        self._file.close()


def _as_array(tensor):
    return None if tensor is None else ops.convert_to_numpy(tensor)


def _graph_called_by(call: Call) -> keras.Model:
    """Returns the graph of the model that is called with all its inputs.

    Raises:
        NotAGraph: If it is not a graph, or if calling it does more than running
            the graph on the call's inputs as they are.
    """
    graph = graph_of(call.operation)
    if graph is None or call.kwargs or len(call.args) != 1:
        raise NotAGraph
    [given] = call.args
    given = given if isinstance(given, list | tuple) else [given]
    if [type(symbol) for symbol in given] != [
        type(symbol) for symbol in graph.inputs
    ]:
        raise NotAGraph
    for symbol, inner in zip(given, graph.inputs, strict=True):
        if symbol.ndim != inner.ndim or symbol.dtype != inner.dtype:
            raise NotAGraph
    return graph
