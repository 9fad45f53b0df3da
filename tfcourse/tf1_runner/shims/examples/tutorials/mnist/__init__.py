"""`tensorflow.examples.tutorials.mnist`: the data, and a model for them."""

from tfcourse.tf1_runner.shims.examples.tutorials.mnist import (  # noqa: F401
    input_data,
    mnist,
)
