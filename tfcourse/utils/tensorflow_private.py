"""The private names of TensorFlow that the package uses, all in one place.

`tf.vectorized_map` turns the operations of one example into those of many by a
table of rules, which cannot be changed in public; nor does anything public say
whether XLA will compile what is being traced.
"""

import contextlib
import dataclasses
import random
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.eager import context
from tensorflow.python.framework import random_seed
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext
from tensorflow.python.ops.parallel_for import pfor

# What a rule is given: TensorFlow's `_PforInput`, one operation to convert.
Operation = Any
Rule = Callable[..., Any]
Rules = dict[str, Rule]


def meta_graphs(saved_model: bytes) -> list[tf.compat.v1.MetaGraphDef]:
    """Returns the graphs in a `saved_model.pb`, of which nothing is run.

    Raises:
        ValueError: If it is none.
    """
    content = saved_model_pb2.SavedModel()
    try:
        content.ParseFromString(saved_model)
    except DecodeError as error:
        raise ValueError(str(error)) from error
    return list(content.meta_graphs)


def in_xla_context() -> bool:
    """Returns whether what is being traced will be compiled by XLA."""
    return GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def random_state() -> tuple[Any, Any]:
    """Returns the global seed, and the state of what draws after it."""
    of_process: Any = context.context()
    drawing = getattr(of_process, "_rng", None)
    return of_process._seed, drawing and drawing.getstate()


def set_random_state(state: tuple[Any, Any]) -> None:
    """Restores what `random_state` gave."""
    if state == random_state():
        # To seed makes TensorFlow forget what it has made to run functions.
        return
    seed, drawn = state
    of_process: Any = context.context()
    if seed is None and of_process._seed is None:
        return
    tf.random.set_seed(0 if seed is None else seed)
    of_process._seed = seed
    if drawn is not None:
        of_process._rng.setstate(drawn)


def is_seeded(seed: int) -> bool:
    """Returns whether nothing has drawn since it was given this seed."""
    return random_state() == (seed, random.Random(seed).getstate())


@contextlib.contextmanager
def noting_draws() -> Iterator[list[Any]]:
    """While it lasts, notes the seeds that random operations ask for.

    Those of `tf.random.stateless_...`, and so of Keras, ask for none.
    """
    asked: list[Any] = []
    get_seed = random_seed.get_seed

    def noting(seed: Any) -> Any:
        asked.append(seed)
        return get_seed(seed)

    random_seed.get_seed = noting
    try:
        yield asked
    finally:
        random_seed.get_seed = get_seed


@contextlib.contextmanager
def seed_kept() -> Iterator[None]:
    """While it lasts, `tf.random.set_seed` does nothing."""
    of_process: Any = context.context()
    of_process._set_global_seed = lambda seed: None
    try:
        yield
    finally:
        del of_process._set_global_seed


def vectorization_rules() -> Rules:
    """Returns a copy of the rules that are in place, by operation."""
    return dict(pfor._pfor_converter_registry)


def fallback_rule(op: Operation) -> Any:
    """Applies the rule for operations that have none of their own."""
    return pfor._fallback_converter(op)


@contextlib.contextmanager
def vectorization_rules_replaced(
    rules: Rules, fallback: Callable[[Rule], Rule]
) -> Iterator[None]:
    """While it lasts, some rules are others.

    Args:
        rules: The rules, by operation; what is not among them stays.
        fallback: A function that returns the rule for operations that have
            none, given TensorFlow's.
    """
    registry = pfor._pfor_converter_registry
    before, original = dict(registry), pfor._fallback_converter
    registry.update(rules)
    pfor._fallback_converter = fallback(original)
    try:
        yield
    finally:
        pfor._fallback_converter = original
        registry.clear()
        registry.update(before)


def converted(output: tf.Tensor, is_stacked: bool = True) -> Any:
    """Returns an output as rules return them.

    Args:
        output: The tensor.
        is_stacked: Whether it has a first axis for the examples.
    """
    return pfor.wrap(output, is_stacked)


def outputs_of_same(op: Operation, inputs: list[Any]) -> list[tf.Tensor]:
    """Returns the outputs of the same operation on other inputs."""
    return pfor._create_op(
        op.op_type,
        inputs,
        [output.dtype for output in op.outputs],
        attrs=op.op.node_def.attr,
    ).outputs


def number_of_examples(op: Operation) -> int | None:
    """Returns over how many examples is mapped, or None if that is open."""
    length = tf.get_static_value(op.pfor.loop_len_vector)
    return None if length is None else length[0]


def called_graphs(operation: tf.Operation) -> Iterator[tf.Graph]:
    """Yields the graphs of the functions that an operation calls."""
    for attribute in operation.op_def.attr:
        if attribute.type != "func":
            continue
        name = operation.get_attr(attribute.name).name
        function = operation.graph._get_function(name)
        if function is not None and function.graph is not None:
            yield function.graph


# A `tf.data.Dataset` does not say in public what it is made of.


@dataclasses.dataclass(frozen=True)
class DatasetPart:
    """One of the transformations that make up a `tf.data.Dataset`.

    Attributes:
        kind: The name of its class.
        shuffle: Where it shuffles: its two seeds, both 0 if it has none, and
            whether it shuffles anew in each pass. None where it does not.
        operations: The stateful operations of its functions.
    """

    kind: str
    shuffle: tuple[int, int, bool] | None
    operations: list[tf.Operation]


def parts_of_dataset(dataset: tf.data.Dataset) -> Iterator[DatasetPart]:
    """Yields what a dataset is made of, the last transformation first."""
    shuffle = None
    if hasattr(dataset, "_reshuffle_each_iteration"):
        # By default it does.
        anew = dataset._reshuffle_each_iteration is not False
        shuffle = int(dataset._seed), int(dataset._seed2), anew
    operations = [
        operation
        for function in dataset._functions()
        for operation in function.function.graph.get_operations()
        if operation.op_def.is_stateful
    ]
    yield DatasetPart(type(dataset).__name__, shuffle, operations)
    for source in dataset._inputs():
        yield from parts_of_dataset(source)
