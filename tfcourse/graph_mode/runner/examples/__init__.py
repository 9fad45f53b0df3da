"""`tensorflow.examples`, which TensorFlow 2 has not."""

from tfcourse.graph_mode.runner.examples import tutorials  # noqa: F401
