"""Shorter forms of rules of `tf.vectorized_map`, where shapes are known.

TensorFlow's rules compute shapes and axes in the graph, for what is known only
when it runs. In the graphs of networks they are constants, nearly always; to
compute them makes a step a quarter longer to trace and to compile.
"""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from tfcourse.utils.tensorflow_private import (
    Operation,
    Rule,
    Rules,
    converted,
    number_of_examples,
    outputs_of_same,
)

# Which of an operation's inputs tells the axis, and which it may vary in.
_AXES = {
    "All": (1, [0]),
    "Any": (1, [0]),
    "ArgMax": (1, [0]),
    "ArgMin": (1, [0]),
    "ConcatV2": (-1, slice(None, -1)),
    "Max": (1, [0]),
    "Mean": (1, [0]),
    "Min": (1, [0]),
    "Prod": (1, [0]),
    "Split": (0, [1]),
    "SplitV": (2, [0]),
    "Sum": (1, [0]),
}

# What a slice takes of an axis, whatever its begin and its end say.
_MASKS = (
    "begin_mask",
    "end_mask",
    "ellipsis_mask",
    "new_axis_mask",
    "shrink_axis_mask",
)


def static_rules(tensorflow_rules: Rules) -> Rules:
    """Returns rules, which go by TensorFlow's where something is not known."""
    rules = {
        name: functools.partial(_along_axes, *_AXES[name]) for name in _AXES
    }
    rules |= {
        "BiasAddGrad": _bias_gradient,
        "BroadcastTo": _broadcast,
        "MatMul": _product,
        "Reshape": _reshape,
        "Shape": _shape,
        "StridedSlice": _slice,
        "StridedSliceGrad": _slice_gradient,
    }
    return {
        name: functools.partial(_known_or, rule, tensorflow_rules[name])
        for name, rule in rules.items()
    }


def _known_or(rule: Rule, tensorflow_rule: Rule, op: Operation) -> Any:
    outputs = rule(op)
    return tensorflow_rule(op) if outputs is None else outputs


def _along_axes(
    place: int, varies: list[int] | slice, op: Operation
) -> list[Any] | None:
    axes = _value(op, place)
    if axes is None:
        return None
    inputs = list(range(op.num_inputs))
    op.stack_inputs(inputs[varies] if isinstance(varies, slice) else varies)
    inputs = [x.t for x in op.inputs]
    inputs[place] = tf.constant(
        np.where(axes < 0, axes, axes + 1), inputs[place].dtype
    )
    return [converted(out) for out in outputs_of_same(op, inputs)]


def _reshape(op: Operation) -> list[Any] | None:
    shape, members = _value(op, 1), number_of_examples(op)
    if shape is None or (members is None and -1 in shape):
        return None
    return _with_shape(op, [-1 if members is None else members, *shape])


def _broadcast(op: Operation) -> list[Any] | None:
    shape, members = _value(op, 1), number_of_examples(op)
    rank = op.inputs[0].t.shape.rank
    if shape is None or members is None or rank != len(shape) + 1:
        return None
    return _with_shape(op, [members, *shape])


def _with_shape(op: Operation, shape: list[int]) -> list[Any]:
    wanted = tf.constant(shape, op.inputs[1].t.dtype)
    return [
        converted(out)
        for out in outputs_of_same(op, [op.stacked_input(0), wanted])
    ]


def _shape(op: Operation) -> Any:
    shape = op.stacked_input(0).shape[1:]
    if not shape.is_fully_defined():
        return None
    return converted(tf.constant(shape, op.get_attr("out_type")), False)


def _slice(op: Operation) -> Any:
    ends = _ends_of_all(op)
    if ends is None:
        return None
    return converted(tf.raw_ops.StridedSlice(input=op.stacked_input(0), **ends))


def _slice_gradient(op: Operation) -> Any:
    ends, shape, members = (
        _ends_of_all(op),
        _value(op, 0),
        number_of_examples(op),
    )
    if ends is None or shape is None or members is None:
        return None
    shape = np.append(members, shape).astype(shape.dtype)
    return converted(
        tf.raw_ops.StridedSliceGrad(shape=shape, dy=op.stacked_input(4), **ends)
    )


def _ends_of_all(op: Operation) -> dict[str, Any] | None:
    """Returns what a slice takes of one member, and all of the first axis."""
    begin, end, strides = (_value(op, place) for place in (1, 2, 3))
    if begin is None or end is None or strides is None:
        return None
    masks = {name: op.get_attr(name) << 1 for name in _MASKS}
    masks["begin_mask"] |= 1
    masks["end_mask"] |= 1
    return {
        "begin": np.append(0, begin).astype(begin.dtype),
        "end": np.append(0, end).astype(end.dtype),
        "strides": np.append(1, strides).astype(strides.dtype),
    } | masks


def _product(op: Operation) -> Any:
    """What all members share, times what each has of its own."""
    (shared, differs, _), (own, _, _) = op.inputs
    if (
        differs
        or op.get_attr("transpose_b")
        or not own.shape.is_fully_defined()
    ):
        return None
    members, rows, columns = own.shape
    own = tf.reshape(tf.transpose(own, [1, 0, 2]), [rows, members * columns])
    out = tf.matmul(shared, own, transpose_a=op.get_attr("transpose_a"))
    return converted(
        tf.transpose(tf.reshape(out, [-1, members, columns]), [1, 0, 2])
    )


def _bias_gradient(op: Operation) -> Any:
    gradient = op.stacked_input(0)
    if op.get_attr("data_format") == b"NCHW" or gradient.shape.rank is None:
        return None
    return converted(tf.reduce_sum(gradient, range(1, gradient.shape.rank - 1)))


def _value(op: Operation, place: int) -> np.ndarray | None:
    """Returns an input in NumPy, if it is known and the same for all."""
    value, differs, _ = op.inputs[place]
    return None if differs else tf.get_static_value(value)
