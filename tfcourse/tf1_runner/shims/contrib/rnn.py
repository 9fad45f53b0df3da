"""`tf.contrib.rnn`: the cells and wrappers of recurrent networks."""

import sys

from tensorflow.python.ops import rnn

from tfcourse.tf1_runner.imports.symbol_names import names_from
from tfcourse.tf1_runner.shims.rnn_cells.linear import linear as _linear  # noqa: F401
from tfcourse.tf1_runner.shims.rnn_cells.lstm import (  # noqa: F401
    Conv1DLSTMCell,
    Conv2DLSTMCell,
    Conv3DLSTMCell,
    ConvLSTMCell,
    LayerNormBasicLSTMCell,
)
from tfcourse.tf1_runner.shims.rnn_cells.wrappers import (  # noqa: F401
    EmbeddingWrapper,
    GRUBlockCell,
    HighwayWrapper,
    InputProjectionWrapper,
    LSTMBlockCell,
    OutputProjectionWrapper,
    stack_bidirectional_dynamic_rnn,
)

# What TensorFlow 1.0 called it.
core_rnn_cell = core_rnn = sys.modules[__name__]

transpose_batch_time = rnn._transpose_batch_time
best_effort_input_batch_size = rnn._best_effort_input_batch_size

__getattr__ = names_from(
    "tf.contrib.rnn",
    "tensorflow.nn.rnn_cell",
    "tensorflow.nn",
    "tf_keras.src.layers.rnn.legacy_cells",
)
