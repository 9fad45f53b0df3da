"""`tensorflow.examples.tutorials`: MNIST's."""

from tfcourse.graph_mode.runner.examples.tutorials import mnist  # noqa: F401
