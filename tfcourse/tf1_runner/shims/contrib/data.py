"""`tf.contrib.data`: `tf.data`, where it began."""

import tensorflow as tf

from tfcourse.tf1_runner.shims.contrib._gather import gather

__getattr__ = gather(
    "tf.contrib.data", "tensorflow.data.experimental", "tensorflow.data"
)


def batch_and_drop_remainder(batch_size):
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


Dataset = tf.data.Dataset
