"""`tf.contrib.factorization`: k-means, which TensorFlow still carries."""

import tensorflow as tf
from tensorflow.python.ops.clustering_ops import (  # noqa: F401
    COSINE_DISTANCE,
    KMEANS_PLUS_PLUS_INIT,
    RANDOM_INIT,
    SQUARED_EUCLIDEAN_DISTANCE,
    KMeans,
)

from tfcourse.tf1_runner.shims.contrib._gather import gather

__getattr__ = gather("tf.contrib.factorization")


def KMeansClustering(*args, **kwargs):  # noqa: N802
    return tf.estimator.experimental.KMeans(*args, **kwargs)
