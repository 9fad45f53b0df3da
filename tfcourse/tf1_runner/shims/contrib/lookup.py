"""`tf.contrib.lookup`: tables, which TensorFlow still carries."""

from tensorflow.python.ops import lookup_ops

from tfcourse.tf1_runner.shims.contrib._gather import gather

__getattr__ = gather("tf.contrib.lookup", "tensorflow.python.ops.lookup_ops")


def index_table_from_tensor(mapping, *args, **kwargs):
    return lookup_ops.index_table_from_tensor(mapping, *args, **kwargs)


def index_to_string_table_from_tensor(mapping, *args, **kwargs):
    return lookup_ops.index_to_string_table_from_tensor(
        mapping, *args, **kwargs
    )
