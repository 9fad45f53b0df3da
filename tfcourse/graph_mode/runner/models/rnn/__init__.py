"""`tensorflow.models.rnn`."""

import tensorflow as tf

from tfcourse.graph_mode.runner.contrib import legacy_seq2seq as seq2seq  # noqa: F401
from tfcourse.graph_mode.runner.models.rnn import rnn_cell  # noqa: F401

rnn = tf.nn
