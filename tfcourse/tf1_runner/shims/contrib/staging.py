"""`tf.contrib.staging`: TensorFlow's own."""

from tensorflow.python.ops.data_flow_ops import StagingArea  # noqa: F401
