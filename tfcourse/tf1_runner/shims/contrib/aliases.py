"""Modules of `tf.contrib` of which each name has another home today."""

import functools

import tensorflow as tf
from tensorflow.python.ops import clustering_ops, data_flow_ops, lookup_ops

from tfcourse.tf1_runner.imports.symbol_names import names_from


def _batch_and_drop_remainder(batch_size):
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


def _index_table_from_tensor(mapping, *args, **kwargs):
    return lookup_ops.index_table_from_tensor(mapping, *args, **kwargs)


def _index_to_string_table_from_tensor(mapping, *args, **kwargs):
    return lookup_ops.index_to_string_table_from_tensor(
        mapping, *args, **kwargs
    )


def _k_means_clustering(*args, **kwargs):
    # The estimators load when they are first used.
    return tf.estimator.experimental.KMeans(*args, **kwargs)


# Module -> the names that are its own.
_NAMES = {
    "data": {
        "Dataset": tf.data.Dataset,
        "batch_and_drop_remainder": _batch_and_drop_remainder,
    },
    "factorization": {
        "COSINE_DISTANCE": clustering_ops.COSINE_DISTANCE,
        "KMEANS_PLUS_PLUS_INIT": clustering_ops.KMEANS_PLUS_PLUS_INIT,
        "KMeans": clustering_ops.KMeans,
        "KMeansClustering": _k_means_clustering,
        "RANDOM_INIT": clustering_ops.RANDOM_INIT,
        "SQUARED_EUCLIDEAN_DISTANCE": clustering_ops.SQUARED_EUCLIDEAN_DISTANCE,
    },
    "framework": {},
    "lookup": {
        "index_table_from_tensor": _index_table_from_tensor,
        "index_to_string_table_from_tensor": _index_to_string_table_from_tensor,
    },
    "metrics": {
        "confusion_matrix": tf.confusion_matrix,
        "set_difference": tf.sets.difference,
        "set_intersection": tf.sets.intersection,
        "set_size": tf.sets.size,
        "set_union": tf.sets.union,
    },
    "staging": {"StagingArea": data_flow_ops.StagingArea},
    "util": {},
}
# Module -> where any other name is looked for, in this order.
_SOURCES = {
    "data": ("tensorflow.data.experimental", "tensorflow.data"),
    "framework": (
        "tf_slim.ops.arg_scope",
        "tf_slim.ops.variables",
        "tensorflow.train",
        "tensorflow",
    ),
    "lookup": ("tensorflow.python.ops.lookup_ops",),
    "metrics": ("tf_slim.metrics",),
    "util": ("tensorflow", "tensorflow.python.framework.tensor_util"),
}


def _fill(name, module):
    vars(module).update(_NAMES[name])
    module.__getattr__ = names_from(
        f"tf.contrib.{name}", *_SOURCES.get(name, ())
    )


# Module -> the function that gives it its names.
MODULES = {name: functools.partial(_fill, name) for name in _NAMES}
