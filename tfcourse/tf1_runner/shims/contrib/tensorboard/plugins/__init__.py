"""`tf.contrib.tensorboard.plugins`."""

from tfcourse.tf1_runner.shims.contrib.tensorboard.plugins import (  # noqa: F401
    projector,
)
