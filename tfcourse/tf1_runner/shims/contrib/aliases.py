"""Modules of `tf.contrib` of which each name has another home today."""

import functools

import tensorflow as tf
from tensorflow.python.ops import (
    clustering_ops,
    data_flow_ops,
    init_ops,
    lookup_ops,
    summary_ops_v2,
)
from tensorflow.python.trackable import base as trackable

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


def _flipped(cross_entropy):
    """Logits before labels, as it was until TensorFlow 1.0."""
    return lambda logits, targets, *args, **kwargs: cross_entropy(
        *args, labels=targets, logits=logits, **kwargs
    )


def _scaled_softplus(x, alpha, clip=None, name=None):
    value = tf.nn.softplus(alpha * x) / alpha
    return value if clip is None else tf.minimum(value, clip, name=name)


class _Jit:
    experimental_jit_scope = staticmethod(tf.xla.experimental.jit_scope)


def _look_up(tensor, mapping, default_value=-1, name=None):
    table = lookup_ops.index_table_from_tensor(
        mapping, default_value=default_value
    )
    return table.lookup(tensor, name)


def _look_up_text(tensor, mapping, default_value="UNK", name=None):
    table = lookup_ops.index_to_string_table_from_tensor(mapping, default_value)
    return table.lookup(tensor, name)


def _with_shape(expected_shape, tensor):
    return tf.ensure_shape(tensor, expected_shape)


def _with_same_shape(expected_tensor, tensor):
    return tf.ensure_shape(tensor, expected_tensor.shape)


def _reduce_sum_n(tensors, name=None):
    return tf.add_n([tf.reduce_sum(tensor) for tensor in tensors], name)


def _definition_by_key(meta_graph_def, key):
    return meta_graph_def.signature_def[key]


# Module -> the names that are its own.
_NAMES = {
    "batching": {"batch_function": tf.nondifferentiable_batch_function},
    "checkpoint": {"CheckpointableBase": trackable.Trackable},
    "cluster_resolver": {},
    "compiler": {"jit": _Jit, "xla": tf.xla.experimental},
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
    "deprecated": {
        "audio_summary": tf.summary.audio,
        "histogram_summary": tf.summary.histogram,
        "image_summary": tf.summary.image,
        "merge_all_summaries": tf.summary.merge_all,
        "merge_summary": tf.summary.merge,
        "scalar_summary": tf.summary.scalar,
    },
    "distribute": {
        "CollectiveAllReduceStrategy": (
            tf.distribute.experimental.MultiWorkerMirroredStrategy
        ),
        "CrossTowerOps": tf.distribute.CrossDeviceOps,
        "DistributionStrategy": tf.distribute.Strategy,
        "TowerContext": tf.distribute.ReplicaContext,
        "get_cross_tower_context": tf.distribute.get_strategy,
        "get_distribution_strategy": tf.distribute.get_strategy,
        "get_loss_reduction": lambda: tf.distribute.ReduceOp.MEAN,
        "get_tower_context": tf.distribute.get_replica_context,
        "has_distribution_strategy": tf.distribute.has_strategy,
        "in_cross_tower_context": tf.distribute.in_cross_replica_context,
    },
    "feature_column": {},
    "framework": {
        "argsort": tf.argsort,
        "convolutional_delta_orthogonal": init_ops.ConvolutionDeltaOrthogonal,
        "convolutional_orthogonal_1d": init_ops.ConvolutionOrthogonal1D,
        "convolutional_orthogonal_2d": init_ops.ConvolutionOrthogonal2D,
        "reduce_sum_n": _reduce_sum_n,
        "with_same_shape": _with_same_shape,
        "with_shape": _with_shape,
        "zero_initializer": lambda ref, **_: ref.initializer,
    },
    "hooks": {"ProfilerHook": tf.train.ProfilerHook},
    "linalg": {
        "LinearOperatorTriL": tf.linalg.LinearOperatorLowerTriangular,
        "LinearOperatorUDVHUpdate": tf.linalg.LinearOperatorLowRankUpdate,
    },
    "lite": {},
    "lookup": {
        "index_table_from_tensor": _index_table_from_tensor,
        "index_to_string": _look_up_text,
        "string_to_index": _look_up,
        "index_to_string_table_from_tensor": _index_to_string_table_from_tensor,
        "string_to_index_table_from_file": lookup_ops.index_table_from_file,
        "string_to_index_table_from_tensor": _index_table_from_tensor,
    },
    "metrics": {
        "confusion_matrix": tf.confusion_matrix,
        "set_difference": tf.sets.difference,
        "set_intersection": tf.sets.intersection,
        "set_size": tf.sets.size,
        "set_union": tf.sets.union,
    },
    "nn": {
        "deprecated_flipped_sigmoid_cross_entropy_with_logits": _flipped(
            tf.nn.sigmoid_cross_entropy_with_logits
        ),
        "deprecated_flipped_softmax_cross_entropy_with_logits": _flipped(
            tf.nn.softmax_cross_entropy_with_logits
        ),
        "deprecated_flipped_sparse_softmax_cross_entropy_with_logits": _flipped(
            tf.nn.sparse_softmax_cross_entropy_with_logits
        ),
        "scaled_softplus": _scaled_softplus,
    },
    "nccl": {},
    "proto": {},
    "saved_model": {"get_signature_def_by_key": _definition_by_key},
    "stateless": {
        "stateless_multinomial": tf.random.stateless_multinomial,
        "stateless_random_normal": tf.random.stateless_normal,
        "stateless_random_uniform": tf.random.stateless_uniform,
        "stateless_truncated_normal": tf.random.stateless_truncated_normal,
    },
    "summary": {"all_summary_ops": summary_ops_v2.all_v2_summary_ops},
    "staging": {"StagingArea": data_flow_ops.StagingArea},
    "util": {},
}
# Module -> where any other name is looked for, in this order.
_SOURCES = {
    "checkpoint": (
        "tensorflow.train",
        "tensorflow.python.trackable.data_structures",
    ),
    "cluster_resolver": ("tensorflow.compat.v2.distribute.cluster_resolver",),
    "data": ("tensorflow.data.experimental", "tensorflow.data"),
    "distribute": (
        "tensorflow.distribute",
        "tensorflow.distribute.experimental",
    ),
    "feature_column": ("tensorflow.feature_column",),
    "framework": (
        "tf_slim.ops.arg_scope",
        "tf_slim.ops.variables",
        "tensorflow.train",
        "tensorflow",
        "tensorflow.python.framework.smart_cond",
        "tensorflow.python.framework.ops",
        "tensorflow.python.ops.check_ops",
        "tensorflow.python.ops.confusion_matrix",
        "tensorflow.python.ops.weights_broadcast_ops",
        "tensorflow.python.util.deprecation",
    ),
    "hooks": ("tensorflow.train",),
    "linalg": ("tensorflow.linalg",),
    "lite": ("tensorflow.lite",),
    "lookup": ("tensorflow.python.ops.lookup_ops",),
    "metrics": ("tf_slim.metrics",),
    "nccl": ("tensorflow.python.ops.nccl_ops",),
    "nn": ("tensorflow.python.ops.nn_ops", "tensorflow.nn"),
    "proto": ("tensorflow.io",),
    "summary": ("tensorflow.python.ops.summary_ops_v2",),
    "util": (
        "tensorflow",
        "tensorflow.python.framework.tensor_util",
        "tensorflow.python.framework.meta_graph",
    ),
}


def _fill(name, module):
    vars(module).update(_NAMES[name])
    module.__getattr__ = names_from(
        f"tf.contrib.{name}", *_SOURCES.get(name, ())
    )


# Module -> the function that gives it its names.
MODULES = {name: functools.partial(_fill, name) for name in _NAMES}
