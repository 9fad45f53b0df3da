"""Recurrent cells as they were until TensorFlow 1.1.

`MultiRNNCell([cell] * 3)` was three layers, each with its own weights: a cell
took its variables from the scope in which it was called. Today's cell keeps
them, and would be one layer thrice. And cells took an `input_size`.
"""

import copy
import functools

import tensorflow.compat.v1 as tf
from tf_keras.src.layers.rnn import legacy_cells


def apply() -> None:
    """Makes stacked cells distinct, and lets cells take their old arguments."""
    stack = legacy_cells.MultiRNNCell
    build = stack.__init__

    @functools.wraps(build)
    def build_of_distinct(self, cells, *args, **kwargs):
        build(self, distinct(cells), *args, **kwargs)

    stack.__init__ = build_of_distinct
    for name, place in _PLACES_OF_INPUT_SIZE.items():
        cell = getattr(legacy_cells, name)
        cell.__init__ = _taking_input_size(cell.__init__, place)


_lstms = (legacy_cells.BasicLSTMCell, legacy_cells.LSTMCell)
# Where it stood; today's next argument is no whole number.
_PLACES_OF_INPUT_SIZE = {
    "BasicLSTMCell": 2,
    "BasicRNNCell": 1,
    "GRUCell": 1,
    "LSTMCell": 1,
}


def _taking_input_size(build, place):
    """`LSTMCell(num_units, input_size)`; inputs tell it themselves."""

    @functools.wraps(build)
    def call(self, *args, input_size=None, **kwargs):
        first, second = [*args[place : place + 2], ..., ...][:2]
        reuses = isinstance(second, bool) and not isinstance(self, _lstms)
        if type(first) is int or (first is None and not reuses):
            args = (*args[:place], *args[place + 1 :])
        build(self, *args, **kwargs)

    return call


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
