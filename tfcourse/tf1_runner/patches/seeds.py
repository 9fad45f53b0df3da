"""TensorFlow 1's rule for the seed of an op that has none of its own.

Under `tf.set_random_seed(n)` such an op got `n` and the number of operations
that the graph had so far. Today's TensorFlow counts the random ops instead, and
some of its functions add more or fewer operations than they did, so that the
same script would draw other numbers.
"""

import functools
import inspect
import weakref

import tensorflow.compat.v1 as tf
from tensorflow.python.framework import ops, random_seed

_LARGEST = 2**31 - 1
_draw_seed_today = random_seed.get_seed

# Graph -> how many more operations TensorFlow 1 would have in it.
_more = weakref.WeakKeyDictionary()


def apply() -> None:
    """Puts the rule back for this process."""
    random_seed.get_seed = get_seed


def get_seed(op_seed):
    """Returns the two seeds of a random op, as TensorFlow 1 chose them.

    Args:
        op_seed: The op's own seed, or None.

    Returns:
        The graph's seed and the op's, both None if neither was given.
    """
    if tf.executing_eagerly():
        return _draw_seed_today(op_seed)
    graph = ops.get_default_graph()
    graph_seed = graph.seed
    if graph_seed is None and op_seed is None:
        return None, None
    if graph_seed is None:
        graph_seed = random_seed.DEFAULT_GRAPH_SEED
    elif op_seed is None:
        op_seed = graph.version + _more.get(graph, 0)
    seeds = graph_seed % _LARGEST, op_seed % _LARGEST
    # The kernels take two zeros for "no seed".
    return (0, _LARGEST) if seeds == (0, 0) else seeds


def count(operations):
    """Counts operations that TensorFlow 1 would have added here."""
    graph = ops.get_default_graph()
    _more[graph] = _more.get(graph, 0) + operations


def counted(function, operations):
    """Returns `function`, which had that many more operations at its end.

    Args:
        function: Of TensorFlow.
        operations: A number, or a function of its arguments that gives it.
    """

    @functools.wraps(function)
    def call(*args, **kwargs):
        result = function(*args, **kwargs)
        more = operations
        count(more(*args, **kwargs) if callable(more) else more)
        return result

    # Keras asks what a layer takes, and does not look through `wraps`.
    call.__signature__ = inspect.signature(function)
    return call
