"""`tensorflow.models.rnn.rnn_cell`: cells whose state is one tensor.

Where a state has several parts, as an LSTM's, they lie side by side in it.
"""

import tensorflow as tf

from tfcourse.tf1_runner.imports.symbol_names import names_from

_cells = tf.nn.rnn_cell

__getattr__ = names_from(
    "tf.models.rnn.rnn_cell",
    "tensorflow.nn.rnn_cell",
    "tfcourse.tf1_runner.shims.rnn_cells.wrappers",
)


def _of_one_tensor(cell):
    """Returns a class of the same name, so that scopes are called alike."""

    def build(self, *args, **kwargs):
        super(made, self).__init__(*args, **{"state_is_tuple": False} | kwargs)

    made = type(cell.__name__, (cell,), {"__init__": build})
    return made


BasicLSTMCell = _of_one_tensor(_cells.BasicLSTMCell)
LSTMCell = _of_one_tensor(_cells.LSTMCell)
MultiRNNCell = _of_one_tensor(_cells.MultiRNNCell)
