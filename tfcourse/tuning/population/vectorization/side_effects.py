"""Operations that do more than compute a value of their inputs."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from tfcourse.errors import CannotVectorize
from tfcourse.utils.tensorflow_private import called_graphs

# They are called stateful, and change nothing; or call what is looked into.
_HARMLESS = frozenset(
    {
        *("Assert", "If", "PartitionedCall", "Placeholder", "PrintV2"),
        *("ReadVariableOp", "StatefulPartitionedCall", "While"),
        *("ResourceGather", "ResourceGatherNd", "VarHandleOp"),
        *("CudnnRNN", "CudnnRNNBackprop", "CudnnRNNV2", "CudnnRNNV3"),
        *("CudnnRNNBackpropV2", "CudnnRNNBackpropV3", "LookupTableFindV2"),
    }
)
# They are not called so, and read a file.
_READING = frozenset({"MatchingFiles", "ReadFile"})


@contextlib.contextmanager
def none_of_members() -> Iterator[None]:
    """While it lasts, what is traced for a member may only compute.

    What assigns, draws or calls Python would do so once for all members, or in
    an order that is not the one of a model by itself.

    Raises:
        CannotVectorize: If something else was traced.
    """
    graph = tf.compat.v1.get_default_graph()
    before = len(graph.get_operations())
    yield
    for operation in graph.get_operations()[before:]:
        _check(operation, set())


def _check(operation: tf.Operation, seen: set[str]) -> None:
    kind = operation.type
    if kind in _READING or (
        operation.op_def.is_stateful and kind not in _HARMLESS
    ):
        raise CannotVectorize(
            f"it uses {kind}, which does more than compute from its inputs"
        )
    for function in called_graphs(operation):
        if function.name not in seen:
            seen.add(function.name)
            for inner in function.get_operations():
                _check(inner, seen)
