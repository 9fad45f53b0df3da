"""Which layers and optimizers leave the zeros around a slice alone."""

import enum
from typing import Any

import keras
from keras import layers

from tfcourse.layers import InvertedDropout
from tfcourse.layers.batch_normalization import BATCH_NORMS
from tfcourse.tuning.population.functional.keras_optimizers import (
    is_elementwise,
)
from tfcourse.tuning.supernet.graph import Node, overrides, takes_no_more
from tfcourse.tuning.supernet.settings import WRAPPERS, inner
from tfcourse.utils.keras_private import ELEMENTWISE_OPERATIONS

# The setting that says how wide a layer is.
WIDTHS = {
    layers.Dense: "units",
    layers.Conv1D: "filters",
    layers.Conv2D: "filters",
    layers.Conv3D: "filters",
    layers.Conv1DTranspose: "filters",
    layers.Conv2DTranspose: "filters",
    layers.Conv3DTranspose: "filters",
    layers.SeparableConv1D: "filters",
    layers.SeparableConv2D: "filters",
    layers.ConvLSTM1D: "filters",
    layers.ConvLSTM2D: "filters",
    layers.ConvLSTM3D: "filters",
    layers.Embedding: "output_dim",
    layers.LSTM: "units",
    layers.GRU: "units",
    layers.SimpleRNN: "units",
}
DEPTHWISE = layers.DepthwiseConv1D, layers.DepthwiseConv2D
SEPARABLE = layers.SeparableConv1D, layers.SeparableConv2D
TRANSPOSED = (
    layers.Conv1DTranspose,
    layers.Conv2DTranspose,
    layers.Conv3DTranspose,
)
_CONVOLUTIONS = (
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    *TRANSPOSED,
    *SEPARABLE,
    *DEPTHWISE,
    layers.ConvLSTM1D,
    layers.ConvLSTM2D,
    layers.ConvLSTM3D,
)
_STEADY = (
    layers.Activation,
    layers.Dropout,
    layers.ELU,
    layers.GaussianDropout,
    layers.Identity,
    InvertedDropout,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ReLU,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
)
POOLING = (
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.AveragePooling3D,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.MaxPooling3D,
)
GLOBAL_POOLING = (
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalAveragePooling3D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.GlobalMaxPooling3D,
)
_FEATURE_BY_FEATURE = (
    *_STEADY,
    *POOLING,
    *GLOBAL_POOLING,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.Cropping3D,
    layers.RepeatVector,
    layers.UpSampling1D,
    layers.UpSampling2D,
    layers.UpSampling3D,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.ZeroPadding3D,
)
# They give zero for zeros.
_MERGING = (
    layers.Add,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.Subtract,
)
# Each may serve as another's activation; a ReLU of any threshold is zero there.
_ACTIVATION_LAYERS = layers.ELU, layers.LeakyReLU, layers.ReLU
ZERO_TO_ZERO_ACTIVATIONS = (
    "celu",
    "elu",
    "gelu",
    "hard_shrink",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "mish",
    "relu",
    "relu6",
    "selu",
    "silu",
    "soft_shrink",
    "softsign",
    "tanh",
    "tanh_shrink",
)
# Of one number, whatever they are at zero.
_ELEMENTWISE_ACTIVATIONS = (
    *ZERO_TO_ZERO_ACTIVATIONS,
    "exponential",
    "hard_sigmoid",
    "hard_silu",
    "log_sigmoid",
    "sigmoid",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
)
_REGULARIZERS = ("L1", "L2", "L1L2", "Frobenius")


class Role(enum.Enum):
    """What a layer does to features that only some members have."""

    # Its outputs are features of its own; its inputs may be any.
    WIDE = enum.auto()
    # It computes each feature by itself.
    FEATURE_BY_FEATURE = enum.auto()
    # So does it, and makes several of each.
    DEPTHWISE = enum.auto()
    FLATTENS = enum.auto()
    # It takes several inputs, of the same features.
    MERGES = enum.auto()
    # It puts the features of several inputs side by side.
    JOINS = enum.auto()
    # Nobody knows: it sees features that all members have.
    OPAQUE = enum.auto()


def role(node: Node) -> Role:
    """Returns what the layer of a node does."""
    layer = node.layer
    if node.shared or overrides(layer):
        return Role.OPAQUE
    if node.call is not None:
        return _role_of_merging(node)
    if len(node.inputs) != 1:
        return Role.OPAQUE
    if is_wide(layer):
        known = _is_supported_wide_layer(layer)
        return Role.WIDE if known else Role.OPAQUE
    if type(layer) is layers.Flatten:
        last = layer.data_format == "channels_last"
        return Role.FLATTENS if last else Role.OPAQUE
    if not computes_elements(layer):
        return Role.OPAQUE
    if type(layer) in DEPTHWISE:
        known = _is_supported_wide_layer(layer) and maps_zero_to_zero(layer)
        return Role.DEPTHWISE if known else Role.OPAQUE
    known = _is_feature_by_feature(node)
    return Role.FEATURE_BY_FEATURE if known else Role.OPAQUE


def _role_of_merging(node: Node) -> Role:
    """Returns what a layer does that takes several inputs, and no more."""
    layer: Any = node.layer
    call: Any = node.call
    if call is None:
        return Role.OPAQUE
    given = keras.tree.flatten(call.args)
    tensors = [x for x in given if keras.backend.is_keras_tensor(x)]
    if len(given) != len(tensors) or not takes_no_more(call):
        return Role.OPAQUE
    ranks = {len(x.shape) for x in tensors}
    widths = {x.shape[-1] for x in tensors}
    if len(tensors) < 2 or len(ranks) > 1 or layer_regularizes(layer):
        return Role.OPAQUE
    if type(layer) is layers.Concatenate:
        if layer.axis in (-1, *(rank - 1 for rank in ranks)):
            return Role.JOINS
        return Role.MERGES
    if type(layer) in (*_MERGING, *ELEMENTWISE_OPERATIONS) and len(widths) == 1:
        return Role.MERGES
    return Role.OPAQUE


def layer_regularizes(layer: Any) -> bool:
    """Whether a layer adds something to the loss by its outputs."""
    return getattr(layer, "activity_regularizer", None) is not None


def is_wide(layer: Any) -> bool:
    """Whether a layer has a width that may differ between members."""
    if type(layer) in WRAPPERS and overrides(inner(layer)):
        return False
    return type(inner(layer)) in WIDTHS


def width(layer: Any) -> int:
    """Returns how many features a wide layer gives."""
    layer = inner(layer)
    names = (WIDTHS.get(cls) for cls in type(layer).__mro__)
    return getattr(layer, next(filter(None, names)))


class Shape(enum.Enum):
    """What a known layer does to the shape of its input."""

    # Nothing, but to its features, or that a sequence becomes its last value.
    KEPT = enum.auto()
    CHANGED = enum.auto()
    # What is left depends on no more than the number of features.
    GONE = enum.auto()
    # It may not be in a block that some have more often than others.
    UNKNOWN = enum.auto()


def shape_of(layer: Any, masks: bool) -> Shape:
    """Returns what a known layer does to shapes.

    Args:
        layer: The layer.
        masks: Whether there are masks of sequences.
    """
    if masks and not getattr(layer, "supports_masking", False):
        return Shape.UNKNOWN
    if type(layer) is layers.Flatten or type(layer) in GLOBAL_POOLING:
        return Shape.GONE
    if type(layer) is layers.TimeDistributed or type(layer) in BATCH_NORMS:
        return Shape.KEPT
    layer = inner(layer)
    if type(layer) in POOLING:
        return Shape.CHANGED
    if type(layer) in _CONVOLUTIONS and type(layer) not in TRANSPOSED:
        kept = layer.padding in ("same", "causal") and {*layer.strides} == {1}
        return Shape.KEPT if kept else Shape.CHANGED
    steady = (*WIDTHS, *_STEADY, *_MERGING, *ELEMENTWISE_OPERATIONS)
    if type(layer) in (*steady, layers.Concatenate) and type(layer) not in (
        *TRANSPOSED,
        layers.Embedding,
        layers.PReLU,
    ):
        return Shape.KEPT
    return Shape.UNKNOWN


def has_weights(layer: Any) -> bool:
    """Whether a known layer may have weights."""
    return type(inner(layer)) in (*WIDTHS, *DEPTHWISE, *BATCH_NORMS) or (
        type(layer) is layers.PReLU
    )


def pooling_of(layer: Any) -> str:
    """Returns what a kind of pooling shares with the other, or `""`.

    That of the largest and that of the mean are computed both, and chosen from.
    """
    if type(layer) not in (*POOLING, *GLOBAL_POOLING):
        return ""
    return type(layer).__name__.replace("Average", "").replace("Max", "")


def is_supported_optimizer(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer's step is zero where the gradient always was."""
    return (
        is_elementwise(optimizer) and not optimizer.gradient_accumulation_steps
    )


def maps_zero_to_zero(layer: Any) -> bool:
    """Whether a layer's activation, if it has one, is zero at zero.

    That of a recurrent layer's gates may be anything.
    """
    layer = inner(layer)
    if type(getattr(layer, "activation", None)) in _ACTIVATION_LAYERS:
        return True
    gates = getattr(layer, "recurrent_activation", None)
    return _is_among(
        ZERO_TO_ZERO_ACTIVATIONS, getattr(layer, "activation", None)
    ) and _is_among(_ELEMENTWISE_ACTIVATIONS, gates)


def computes_elements(layer: Any) -> bool:
    """Whether a layer's activation, if it has one, is one of each number.

    Where it gives something for zero, features that a member does not have can
    be set to zero behind it; but not those that a recurrent layer sees again.
    """
    activation = getattr(inner(layer), "activation", None)
    return maps_zero_to_zero(layer) or (
        not hasattr(inner(layer), "recurrent_initializer")
        and _is_among(_ELEMENTWISE_ACTIVATIONS, activation)
    )


def _is_among(names: tuple[str, ...], activation: Any) -> bool:
    return activation is None or (
        # A layer that serves as an activation has no name like a function.
        getattr(activation, "__name__", None) in names and _is_known(activation)
    )


def _is_feature_by_feature(node: Node) -> bool:
    layer = node.layer
    if type(layer) in BATCH_NORMS:
        ranks = [len(shape) for shape in node.shapes or ()]
        return (
            getattr(layer, "axis", -1) in (-1, None, *(r - 1 for r in ranks))
            and not getattr(layer, "renorm", False)
            and not getattr(layer, "synchronized", False)
            and not any(
                getattr(layer, f"{name}_{kind}", None)
                for name in ("beta", "gamma")
                for kind in ("regularizer", "constraint")
            )
        )
    return (
        type(layer) in _FEATURE_BY_FEATURE
        and not layer_regularizes(layer)
        and getattr(layer, "data_format", None) != "channels_first"
    )


def _is_supported_wide_layer(layer: Any) -> bool:
    if type(layer) in WRAPPERS:
        parts = [getattr(layer, name) for name in WRAPPERS[type(layer)]]
        return not layer_regularizes(layer) and (
            all(map(_is_supported_wide_layer, parts))
            and len({width(part) for part in parts}) == 1
            and all(type(part) is type(parts[0]) for part in parts)
        )
    kinds = (
        "kernel",
        "recurrent",
        "bias",
        "depthwise",
        "pointwise",
        "embeddings",
    )
    return (
        getattr(layer, "groups", 1) == 1
        and not layer_regularizes(layer)
        and not any(getattr(layer, f"{x}_constraint", None) for x in kinds)
        and not getattr(layer, "lora_rank", None)
        and not getattr(layer, "quantization_mode", None)
        and not getattr(layer, "stateful", False)
        and all(
            _is_supported_regularizer(getattr(layer, f"{x}_regularizer", None))
            for x in kinds
        )
        and getattr(layer, "data_format", None) != "channels_first"
    )


def _is_supported_regularizer(
    regularizer: keras.regularizers.Regularizer | None,
) -> bool:
    return regularizer is None or (
        type(regularizer).__name__ in _REGULARIZERS and _is_known(regularizer)
    )


def _is_known(thing: Any) -> bool:
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return module.startswith(("keras.", "tfcourse."))
