"""The drawing of a small computation graph, as 15 uses it."""

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf


def draw(graph, nodes):
    """Returns a figure of some operations of a graph, and its axes.

    Args:
        graph: A `tf.Graph`.
        nodes: A dict from the name of an operation to what is written into its
            circle, and where the circle is.
    """
    figure, axes = plt.subplots(figsize=(7.5, 3.4))
    middle = {"ha": "center", "va": "center"}
    arrow = {"arrowstyle": "-|>", "color": "0.35", "shrinkA": 17, "shrinkB": 17}
    for name, (text, place) in nodes.items():
        op = graph.get_operation_by_name(name)
        inputs = () if op.type == "VarHandleOp" else op.inputs
        for tensor in inputs:
            if tensor.op.type != "Const":
                start, entry = _source(tensor, nodes)
                at = np.array(nodes[start][1])
                axes.annotate("", place, at, arrowprops=arrow)
                label = at + 0.3 * (place - at)
                axes.text(*label, entry, **middle, backgroundcolor="white")
        colour = "white" if inputs else "#dbe7f3"
        box = {"boxstyle": "circle,pad=0.45", "fc": colour, "ec": "#0b3c6f"}
        axes.text(*place, text, **middle, fontsize=12, bbox=box)
    axes.set_axis_off()
    return figure, axes


def _source(tensor, nodes):
    """Returns the node that a tensor comes from, and which entry of it."""
    op, entry = tensor.op, ""
    while op.name not in nodes:
        if op.type == "StridedSlice":  # x[0][0] are two of them.
            entry = f"{tf.get_static_value(op.inputs[1])}{entry}"
        op = op.inputs[0].op
    return op.name, entry
