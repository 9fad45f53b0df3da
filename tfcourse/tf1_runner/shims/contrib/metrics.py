"""`tf.contrib.metrics`: TF-Slim's, and those that moved."""

import tensorflow as tf

from tfcourse.tf1_runner.shims.contrib._gather import gather

__getattr__ = gather("tf.contrib.metrics", "tf_slim.metrics")

confusion_matrix = tf.confusion_matrix
set_difference = tf.sets.difference
set_intersection = tf.sets.intersection
set_size = tf.sets.size
set_union = tf.sets.union
