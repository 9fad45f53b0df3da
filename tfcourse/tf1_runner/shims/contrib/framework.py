"""`tf.contrib.framework`: TF-Slim's scopes and variables."""

from tfcourse.tf1_runner.shims.contrib._gather import gather

__getattr__ = gather(
    "tf.contrib.framework",
    "tf_slim.ops.arg_scope",
    "tf_slim.ops.variables",
    "tensorflow.train",
    "tensorflow",
)
