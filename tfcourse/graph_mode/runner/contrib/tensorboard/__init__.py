"""`tf.contrib.tensorboard`."""

from tfcourse.graph_mode.runner.contrib.tensorboard import plugins  # noqa: F401
