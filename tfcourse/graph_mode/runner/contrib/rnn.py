"""`tf.contrib.rnn`: the cells and wrappers of recurrent networks."""

import sys

from tfcourse.graph_mode.runner.contrib._gather import gather
from tfcourse.graph_mode.runner.linear import linear as _linear  # noqa: F401
from tfcourse.graph_mode.runner.lstm_cells import (  # noqa: F401
    Conv1DLSTMCell,
    Conv2DLSTMCell,
    Conv3DLSTMCell,
    ConvLSTMCell,
    LayerNormBasicLSTMCell,
)
from tfcourse.graph_mode.runner.rnn import (  # noqa: F401
    EmbeddingWrapper,
    InputProjectionWrapper,
    LSTMBlockCell,
    OutputProjectionWrapper,
    stack_bidirectional_dynamic_rnn,
)

# What TensorFlow 1.0 called it.
core_rnn_cell = core_rnn = sys.modules[__name__]

__getattr__ = gather(
    "tf.contrib.rnn", "tensorflow.nn.rnn_cell", "tensorflow.nn"
)
