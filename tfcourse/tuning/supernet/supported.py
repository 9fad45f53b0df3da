"""Which layers and optimizers leave the zeros around a slice alone."""

import enum
from typing import Any

import keras
from keras import layers

from tfcourse.layers import InvertedDropout
from tfcourse.layers.batch_normalization import BATCH_NORMS
from tfcourse.tuning.population.functional.elementwise import is_elementwise
from tfcourse.tuning.supernet.graph import Node, overrides
from tfcourse.tuning.supernet.settings import WRAPPERS, inner

# The setting that says how wide a layer is.
WIDTHS = {
    layers.Dense: "units",
    layers.Conv1D: "filters",
    layers.Conv2D: "filters",
    layers.Conv3D: "filters",
    layers.LSTM: "units",
    layers.GRU: "units",
    layers.SimpleRNN: "units",
}
_FEATURE_BY_FEATURE = (
    layers.Activation,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.Dropout,
    layers.ELU,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    InvertedDropout,
    layers.LeakyReLU,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.ReLU,
)
_CONVOLUTIONS = layers.Conv1D, layers.Conv2D, layers.Conv3D
_CHANGES_SHAPES = (
    layers.Flatten,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
)
ZERO_TO_ZERO_ACTIVATIONS = (
    "celu",
    "elu",
    "gelu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "mish",
    "relu",
    "relu6",
    "selu",
    "silu",
    "softsign",
    "tanh",
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
)
_REGULARIZERS = ("L1", "L2", "L1L2", "Frobenius")


class Role(enum.Enum):
    """What a layer does to features that only some members have."""

    # Its outputs are features of its own; its inputs may be any.
    WIDE = enum.auto()
    # It computes each feature by itself.
    FEATURE_BY_FEATURE = enum.auto()
    FLATTENS = enum.auto()
    # Nobody knows: it sees features that all members have.
    OPAQUE = enum.auto()


def role(node: Node) -> Role:
    """Returns what the layer of a node does."""
    layer = node.layer
    if (
        node.shared
        or node.call is not None
        or len(node.inputs) != 1
        or overrides(layer)
    ):
        return Role.OPAQUE
    if is_wide(layer):
        known = _is_supported_wide_layer(layer)
        return Role.WIDE if known else Role.OPAQUE
    if type(layer) is layers.Flatten:
        last = layer.data_format == "channels_last"
        return Role.FLATTENS if last else Role.OPAQUE
    known = _is_feature_by_feature(layer) and maps_zero_to_zero(layer)
    return Role.FEATURE_BY_FEATURE if known else Role.OPAQUE


def is_wide(layer: Any) -> bool:
    """Whether a layer has a width that may differ between members."""
    if type(layer) in WRAPPERS and overrides(inner(layer)):
        return False
    return type(inner(layer)) in WIDTHS


def width(layer: Any) -> int:
    """Returns how many features a wide layer gives."""
    layer = inner(layer)
    return getattr(layer, WIDTHS[type(layer)])


def is_steady(layer: Any) -> bool:
    """Whether a known layer changes no more of a shape than its features.

    A recurrent one does not if it returns sequences.
    """
    if type(layer) is layers.TimeDistributed:
        return True
    layer = inner(layer)
    if isinstance(layer, _CONVOLUTIONS):
        return layer.padding in ("same", "causal") and set(layer.strides) == {1}
    return not isinstance(layer, _CHANGES_SHAPES)


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
    gates = getattr(layer, "recurrent_activation", None)
    return _is_among(
        ZERO_TO_ZERO_ACTIVATIONS, getattr(layer, "activation", None)
    ) and _is_among(_ELEMENTWISE_ACTIVATIONS, gates)


def _is_among(names: tuple[str, ...], activation: Any) -> bool:
    return activation is None or (
        # A layer that serves as an activation has no name like a function.
        getattr(activation, "__name__", None) in names and _is_known(activation)
    )


def _is_feature_by_feature(layer: Any) -> bool:
    if type(layer) in BATCH_NORMS:
        return (
            getattr(layer, "axis", -1) in (-1, None)
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
        and layer.activity_regularizer is None
        and getattr(layer, "data_format", None) != "channels_first"
    )


def _is_supported_wide_layer(layer: Any) -> bool:
    if type(layer) in WRAPPERS:
        parts = [getattr(layer, name) for name in WRAPPERS[type(layer)]]
        return layer.activity_regularizer is None and (
            all(map(_is_supported_wide_layer, parts))
            and len({width(part) for part in parts}) == 1
            and all(type(part) is type(parts[0]) for part in parts)
        )
    kinds = ("kernel", "recurrent", "bias")
    return (
        getattr(layer, "groups", 1) == 1
        and layer.activity_regularizer is None
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
