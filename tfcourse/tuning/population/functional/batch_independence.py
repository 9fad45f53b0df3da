"""Whether an evaluation depends on how its examples are batched.

Keras evaluates in batches of a given size. A larger one is faster, and gives
the same values only if each example is computed for itself and all counts and
means are over examples. That holds for what is listed here; for anything else,
anybody's own code included, nobody knows.
"""

from typing import Any

import keras
from keras import layers, losses, metrics

from tfcourse import layers as own_layers
from tfcourse.utils.keras_private import (
    Call,
    adds_losses,
    calls,
    compiled_metrics,
    every_layer,
    graph_of,
    loss_arguments,
    losses_of_outputs,
    wrapped_function,
)

# Each computes an example for itself, outside of training. Those that have an
# axis do so unless it is the one of the examples.
_LAYERS = {
    layers.InputLayer,
    layers.Identity,
    layers.Dense,
    layers.Embedding,
    layers.Activation,
    layers.ReLU,
    layers.LeakyReLU,
    layers.ELU,
    layers.PReLU,
    layers.Softmax,
    layers.Dropout,
    layers.AlphaDropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
    layers.Rescaling,
    layers.Normalization,
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.UnitNormalization,
    layers.Flatten,
    layers.Reshape,
    layers.Permute,
    layers.RepeatVector,
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    layers.Conv1DTranspose,
    layers.Conv2DTranspose,
    layers.Conv3DTranspose,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.MaxPooling3D,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.AveragePooling3D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.GlobalMaxPooling3D,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalAveragePooling3D,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.ZeroPadding3D,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.Cropping3D,
    layers.UpSampling1D,
    layers.UpSampling2D,
    layers.UpSampling3D,
    layers.Add,
    layers.Subtract,
    layers.Multiply,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Concatenate,
    layers.SimpleRNN,
    layers.SimpleRNNCell,
    layers.LSTM,
    layers.LSTMCell,
    layers.GRU,
    layers.GRUCell,
    layers.Bidirectional,
    own_layers.BatchNormalization,
    own_layers.Hardmax,
    own_layers.InvertedDropout,
}
# Each gives one value an example. So do others of Keras's, but for hinges,
# which look at all labels of a batch, and overlaps such as Dice's.
_LOSSES = {
    losses.binary_crossentropy,
    losses.binary_focal_crossentropy,
    losses.categorical_crossentropy,
    losses.categorical_focal_crossentropy,
    losses.sparse_categorical_crossentropy,
    losses.huber,
    losses.kl_divergence,
    losses.log_cosh,
    losses.mean_absolute_error,
    losses.mean_absolute_percentage_error,
    losses.mean_squared_error,
    losses.mean_squared_logarithmic_error,
    losses.poisson,
}
_MEANS = _LOSSES | {
    metrics.binary_accuracy,
    metrics.categorical_accuracy,
    metrics.sparse_categorical_accuracy,
    metrics.sparse_top_k_categorical_accuracy,
    metrics.top_k_categorical_accuracy,
}
# Each is computed from sums over all examples.
_COUNTS = {
    metrics.AUC,
    metrics.F1Score,
    metrics.FBetaScore,
    metrics.FalseNegatives,
    metrics.FalsePositives,
    metrics.Precision,
    metrics.R2Score,
    metrics.Recall,
    metrics.RootMeanSquaredError,
    metrics.TrueNegatives,
    metrics.TruePositives,
}
_ACTIVATIONS = ("activation", "recurrent_activation")
_FUNCTIONS = [f for f in vars(keras.activations).values() if callable(f)]
_OVERRIDABLE = {"call", "compute_mask", "__call__"}


def evaluates_in_any_batches(model: keras.Model) -> bool:
    """Whether the evaluation of a model is known not to depend on the batches.

    Args:
        model: A compiled model, built, and so its loss and its metrics.
    """
    compiled = compiled_metrics(model)
    return (
        all(map(computes_each_example, every_layer(model)))
        # Those of several outputs are means over the batches.
        and not losses_of_outputs(model)
        and all(map(_is_mean_over_examples, keras.tree.flatten(model.loss)))
        and all(map(_counts_examples, compiled.metrics if compiled else []))
    )


def computes_each_example(layer: Any) -> bool:
    """Whether a layer or model computes each example for itself.

    If not, or where it adds a loss or a mask, batches make a difference.
    """
    if adds_losses(layer) or layer.activity_regularizer is not None:
        return False
    if _OVERRIDABLE & vars(layer).keys():
        return False
    if isinstance(layer, keras.Model):
        return _is_graph_of_layers(layer)
    return (
        (type(layer) in _LAYERS or _holds_layers_only(layer))
        and not getattr(layer, "mask_zero", False)
        and not getattr(layer, "stateful", False)
        and _is_axis_of_features(getattr(layer, "axis", -1))
        and all(
            _is_known_function(getattr(layer, name, None))
            for name in _ACTIVATIONS
        )
    )


def _holds_layers_only(layer: Any) -> bool:
    """Whether it is the block of a supernet, whose layers are looked at too."""
    return type(layer).__module__.startswith("tfcourse.tuning.supernet.")


def _is_graph_of_layers(model: keras.Model) -> bool:
    """Whether a model does no more than call layers on tensors of examples."""
    graph = graph_of(model)
    if graph is None or not type(model).__module__.startswith("keras."):
        return False
    return all(map(calls_on_examples, calls(graph)))


def calls_on_examples(call: Call) -> bool:
    """Whether a call is that of a layer on tensors of examples, and no more."""
    given = keras.tree.flatten([call.args, dict(call.kwargs)])
    # An evaluation is called with `training=False` anyway.
    tensors = [value for value in given if not _is_none_or_false(value)]
    return (
        isinstance(call.operation, keras.layers.Layer)
        and call.kwargs.get("mask") is None
        # A `training=True` is none, nor a constant.
        and all(map(keras.backend.is_keras_tensor, tensors))
        # Of one axis, that is also the last.
        and all(len(t.shape) > 1 for t in [*tensors, *call.outputs])
    )


def _is_none_or_false(value: Any) -> bool:
    return value is None or value is False


def _is_axis_of_features(axis: Any) -> bool:
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    return all(isinstance(one, int) and (one == -1 or one > 0) for one in axes)


def _is_known_function(activation: Any) -> bool:
    return (
        activation is None
        or isinstance(activation, keras.layers.Layer)
        or activation in _FUNCTIONS
    )


def _is_mean_over_examples(loss: Any) -> bool:
    """Whether a loss is a mean of one value an example."""
    if loss is None:
        return True
    if isinstance(loss, str):
        loss = losses.get(loss)
    if loss in _LOSSES:
        return True
    function, arguments = loss_arguments(loss)
    return (
        type(loss).__module__.startswith("keras.")
        and function in _LOSSES
        and loss.reduction == "sum_over_batch_size"
        and arguments.get("axis", -1) == -1
        # It masks the others.
        and arguments.get("ignore_class") is None
    )


def _counts_examples(metric: Any) -> bool:
    """Whether a metric is a mean or count over all examples."""
    if not type(metric).__module__.startswith("keras."):
        return False
    return type(metric) in _COUNTS or wrapped_function(metric) in _MEANS
