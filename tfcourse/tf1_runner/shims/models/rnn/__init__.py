"""`tensorflow.models.rnn`."""

import tensorflow as tf

from tfcourse.tf1_runner.shims.contrib import legacy_seq2seq as seq2seq  # noqa: F401
from tfcourse.tf1_runner.shims.models.rnn import rnn_cell  # noqa: F401

rnn = tf.nn
