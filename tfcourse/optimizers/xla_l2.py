"""An `l2` that costs nothing under XLA while it is 0.

XLA on the CPU makes one pass over the parameters for each output of a step. An
`l2` that may change would let each of them read the parameters once more, which
makes Adam's step a fifth slower. Only this module and `tensorflow_kernels` of
the optimizers import TensorFlow.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfcourse.utils.tensorflow_private import in_xla_context


def applies_to(l2: keras.Variable) -> bool:
    """Returns whether `l2_gradient` may be used for this variable.

    It may where XLA can read a variable when it compiles: one of TensorFlow's
    own, outside loops and branches. An `l2` that is not 0 already is likely to
    change often, and each new value would be compiled anew.
    """
    return (
        in_xla_context()
        and not tf.distribute.has_strategy()
        and isinstance(l2.value, tf.Variable)
        and not _in_loop_or_branch()
        and _initially(l2) == 0
    )


def _in_loop_or_branch():
    graph = tf.compat.v1.get_default_graph()
    while isinstance(graph, tf.__internal__.FuncGraph):
        if type(graph) is not tf.__internal__.FuncGraph:
            return True
        graph = graph.outer_graph
    return False


def _initially(l2):
    with tf.init_scope():
        return np.asarray(l2) if tf.executing_eagerly() else None


def l2_gradient(l2: keras.Variable, w: Any) -> Any:
    """Returns `l2 * w`, which XLA leaves out where `l2` is 0.

    It pads the rows that are wanted, all or none, with zeros. XLA has to know
    how many, so it reads `l2` when it compiles, and compiles once more, without
    a new trace, when it changed.
    """
    rows = w.shape[0]
    wanted = tf.where(l2 > 0, rows, 0)
    part = tf.slice(w, [0] * w.shape.rank, [wanted, *w.shape[1:]])
    padding = [[0, rows - wanted], *[[0, 0]] * (w.shape.rank - 1)]
    return keras.ops.cast(l2, w.dtype) * tf.pad(part, padding)
