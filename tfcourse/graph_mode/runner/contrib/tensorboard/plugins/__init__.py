"""`tf.contrib.tensorboard.plugins`."""

from tfcourse.graph_mode.runner.contrib.tensorboard.plugins import (  # noqa: F401
    projector,
)
