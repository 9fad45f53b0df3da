"""A computation graph as text."""

import collections

import tensorflow as tf


def describe_graph(output: tf.Tensor) -> str:
    """Returns the graph that computes a tensor, one operation per line.

    Inputs come before what is computed from them; constants stand where they
    are used. A last line counts what else is in the graph, by the first part
    of its name.

    Args:
        output: A tensor of a TensorFlow 1 graph, e.g. a cost.

    Example:

    >>> with tf.Graph().as_default():
    ...     w = tf.compat.v1.placeholder(tf.float32, [], name="w")
    ...     cost = tf.add(w**2, 25.0, name="cost")
    >>> print(describe_graph(cost))
    w     Placeholder  float32 ()
    pow   Pow          w, 2.0
    cost  AddV2        pow, 25.0
    """
    needed = _ancestors(output.op)
    graph = output.graph
    rows = [_row(op) for op in needed if op.type != "Const"]
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    lines = [
        f"{name:{widths[0]}}  {kind:{widths[1]}}  {rest}".rstrip()
        for name, kind, rest in rows
    ]
    others = collections.Counter(
        op.name.partition("/")[0]
        for op in graph.get_operations()
        if op not in needed and op.type not in ("Const", "NoOp")
    )
    if others:
        counts = ", ".join(f"{name} {n}" for name, n in others.most_common())
        lines.append(f"and {others.total()} more operations: {counts}")
    return "\n".join(lines)


def _ancestors(op):
    """Returns an operation and all before it, inputs first."""
    seen = {}

    def visit(op):
        if op not in seen:
            seen[op] = None
            for tensor in op.inputs:
                visit(tensor.op)
            # Moved behind its inputs.
            del seen[op]
            seen[op] = None

    visit(op)
    return list(seen)


def _row(op):
    inputs = [_shown(tensor) for tensor in op.inputs]
    if not inputs:
        return op.name, op.type, _kind(op)
    if op.type == "StridedSlice" and op.get_attr("shrink_axis_mask") == 1:
        # One entry along the first axis, as `x[0]` gives.
        return op.name, op.type, f"{inputs[0]}{inputs[1]}"
    return op.name, op.type, ", ".join(inputs)


def _kind(op):
    """Returns the dtype and the shape of what an operation puts out."""
    if op.type == "VarHandleOp":
        dtype, shape = op.get_attr("dtype"), op.get_attr("shape")
    else:
        dtype, shape = op.outputs[0].dtype, op.outputs[0].shape
    return f"{tf.as_dtype(dtype).name} {tf.TensorShape(shape)}"


def _shown(tensor):
    """Returns the name of a tensor, or the value of a constant."""
    if tensor.op.type == "Const":
        return str(tf.get_static_value(tensor).tolist())
    return tensor.name.removesuffix(":0")
