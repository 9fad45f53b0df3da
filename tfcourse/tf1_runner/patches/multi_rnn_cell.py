"""`MultiRNNCell([cell] * 3)` was three layers, each with its own weights.

It was so until TensorFlow 1.1, where a cell took its variables from the scope
in which it was called. Today's cell keeps them, and would be one layer thrice.
"""

import copy
import functools

import tensorflow.compat.v1 as tf
from tf_keras.src.layers.rnn import legacy_cells


def apply() -> None:
    """Makes stacked cells distinct, for this process."""
    stack = legacy_cells.MultiRNNCell
    build = stack.__init__

    @functools.wraps(build)
    def build_of_distinct(self, cells, *args, **kwargs):
        build(self, distinct(cells), *args, **kwargs)

    stack.__init__ = build_of_distinct


def distinct(cells):
    """Returns the cells, with a twin where one comes again."""
    if not isinstance(cells, list | tuple):
        return cells  # An error of the script's, told by MultiRNNCell.
    return [
        _twin(cell) if cell in cells[:place] and not cell.built else cell
        for place, cell in enumerate(cells)
    ]


def _twin(cell):
    return copy.deepcopy(cell, _shared(cell))


def _shared(cell):
    """Returns what a twin has in common: tensors, such as `keep_prob`."""
    shared = {}
    for value in vars(cell).values():
        if isinstance(value, tf.Tensor | tf.Variable | tf.Graph):
            shared[id(value)] = value
        elif isinstance(value, tf.nn.rnn_cell.RNNCell):
            shared |= _shared(value)
    return shared
