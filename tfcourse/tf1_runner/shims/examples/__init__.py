"""`tensorflow.examples`, which TensorFlow 2 has not."""

from tfcourse.tf1_runner.shims.examples import tutorials  # noqa: F401
