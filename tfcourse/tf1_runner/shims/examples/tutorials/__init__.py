"""`tensorflow.examples.tutorials`: MNIST's."""

from tfcourse.tf1_runner.shims.examples.tutorials import mnist  # noqa: F401
