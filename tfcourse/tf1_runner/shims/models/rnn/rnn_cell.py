"""`tensorflow.models.rnn.rnn_cell`: cells whose state is one tensor.

Where a state has several parts, as an LSTM's, they lie side by side in it.
"""

import functools

import tensorflow as tf

from tfcourse.tf1_runner.imports.symbol_names import names_from

_cells = tf.nn.rnn_cell

__getattr__ = names_from(
    "tf.models.rnn.rnn_cell",
    "tensorflow.nn.rnn_cell",
    "tfcourse.tf1_runner.shims.rnn_cells.wrappers",
)

BasicLSTMCell = functools.partial(_cells.BasicLSTMCell, state_is_tuple=False)
LSTMCell = functools.partial(_cells.LSTMCell, state_is_tuple=False)
MultiRNNCell = functools.partial(_cells.MultiRNNCell, state_is_tuple=False)
