"""`tensorflow.examples.tutorials.mnist`: the data, and a model for them."""

from tfcourse.graph_mode.runner.examples.tutorials.mnist import (  # noqa: F401
    input_data,
    mnist,
)
