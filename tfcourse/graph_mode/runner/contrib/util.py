"""`tf.contrib.util`."""

from tfcourse.graph_mode.runner.contrib._gather import gather

__getattr__ = gather(
    "tf.contrib.util", "tensorflow", "tensorflow.python.framework.tensor_util"
)
