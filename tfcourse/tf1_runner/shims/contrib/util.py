"""`tf.contrib.util`."""

from tfcourse.tf1_runner.shims.contrib._gather import gather

__getattr__ = gather(
    "tf.contrib.util", "tensorflow", "tensorflow.python.framework.tensor_util"
)
