"""Which layers and optimizers leave the zeros around a slice alone."""

from typing import Any

import keras
from keras import layers

from tfcourse.layers import InvertedDropout
from tfcourse.layers.batch_normalization import BATCH_NORMS
from tfcourse.tuning.population.functional.elementwise import is_elementwise

# The attribute that says how wide a layer is.
_WIDTHS = {
    layers.Dense: "units",
    layers.Conv1D: "filters",
    layers.Conv2D: "filters",
    layers.Conv3D: "filters",
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
    layers.Flatten,
    layers.InputLayer,
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
_REGULARIZERS = ("L1", "L2", "L1L2", "Frobenius")


def is_wide(layer: keras.layers.Layer) -> bool:
    """Whether a layer has a width that may differ between members."""
    return type(layer) in _WIDTHS


def width(layer: keras.layers.Layer) -> int:
    """Returns how many features a wide layer gives."""
    return getattr(layer, _WIDTHS[type(layer)])


def set_width(layer: keras.layers.Layer, value: int) -> None:
    """Sets how many features a wide layer gives, before it is built."""
    setattr(layer, _WIDTHS[type(layer)], value)


def is_supported_optimizer(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer's step is zero where the gradient always was."""
    return (
        is_elementwise(optimizer) and not optimizer.gradient_accumulation_steps
    )


def is_supported_layer(layer: keras.layers.Layer) -> bool:
    """Whether a layer's zeros stay zero, and stay without influence."""
    if is_wide(layer):
        return _is_supported_wide_layer(layer)
    if type(layer) in BATCH_NORMS:
        return getattr(layer, "axis", -1) in (-1, None) and not any(
            getattr(layer, f"{name}_{kind}", None)
            for name in ("beta", "gamma")
            for kind in ("regularizer", "constraint")
        )
    return type(layer) in _FEATURE_BY_FEATURE


def maps_zero_to_zero(layer: keras.layers.Layer) -> bool:
    """Whether a layer's activation, if it has one, is zero at zero."""
    activation = getattr(layer, "activation", None)
    return activation is None or (
        # A layer that serves as an activation has no name like a function.
        getattr(activation, "__name__", None) in ZERO_TO_ZERO_ACTIVATIONS
        and _is_known(activation)
    )


def _is_supported_wide_layer(layer: Any) -> bool:
    return (
        getattr(layer, "groups", 1) == 1
        and layer.activity_regularizer is None
        and layer.kernel_constraint is None
        and layer.bias_constraint is None
        and not getattr(layer, "lora_rank", None)
        and _is_supported_regularizer(layer.kernel_regularizer)
        and _is_supported_regularizer(layer.bias_regularizer)
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
