"""`tf.contrib.tensorboard`."""

from tfcourse.tf1_runner.shims.contrib.tensorboard import plugins  # noqa: F401
