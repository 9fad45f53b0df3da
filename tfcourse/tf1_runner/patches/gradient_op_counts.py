"""Gradients that add other numbers of operations than in TensorFlow 1.

What is drawn after `minimize` depends on them, see `forward_op_counts`. These
are TensorFlow 1.12's, measured.
"""

import functools

import numpy as np
from tensorflow.python.framework import ops, tensor_util

from tfcourse.tf1_runner.patches.seeds import count


def apply() -> None:
    """Makes the gradients count as they did, for this process."""
    for kind, operations in _OPERATIONS.items():
        # TensorFlow has no public way to another gradient of its own ops.
        entry = ops.gradient_registry._registry[kind]
        entry["type"] = _counting(entry["type"], operations)


def _counting(gradient, operations):
    @functools.wraps(gradient)
    def call(op, *gradients):
        graph = ops.get_default_graph()
        before = graph.version
        result = gradient(op, *gradients)
        then = operations(op) if callable(operations) else operations
        count(then - (graph.version - before))
        return result

    return call


def _elementwise(broadcast, same=None):
    """Of two tensors; with fewer operations if their shapes are the same."""

    def operations(op):
        x, y = (tensor.shape for tensor in op.inputs)
        known = x.is_fully_defined() and y.is_fully_defined()
        return same if same is not None and known and x == y else broadcast

    return operations


def _sum(op):
    rank = op.inputs[0].shape.rank
    axes = tensor_util.constant_value(op.inputs[1])
    whole = rank is not None and np.array_equal(axes, np.arange(rank))
    return 4 if whole and not op.get_attr("keep_dims") else 16


def _mean(op):
    known = (
        op.inputs[0].shape.is_fully_defined()
        and op.outputs[0].shape.is_fully_defined()
    )
    return _sum(op) + (2 if known else 11)


_OPERATIONS = {
    "Add": _elementwise(7, 0),
    "AddV2": _elementwise(7, 0),
    "Max": 19,
    "Maximum": 13,
    "Mean": _mean,
    "Min": 19,
    "Minimum": 13,
    "Mul": _elementwise(9, 2),
    "Pow": 19,
    "Prod": 49,
    "RealDiv": 12,
    "Softplus": 1,
    "SparseSoftmaxCrossEntropyWithLogits": 5,
    "SquaredDifference": 12,
    "StridedSlice": 2,
    "Sub": _elementwise(8, 1),
    "Sum": _sum,
}
