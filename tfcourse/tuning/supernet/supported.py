"""Which layers and optimizers leave alone what is masked by zeros."""

from keras import layers

# The attribute that says how wide a layer is.
WIDTHS = {
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
    layers.LeakyReLU,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.ReLU,
    layers.Flatten,
    layers.InputLayer,
)
THROUGH_ORIGIN = [
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
]
_OPTIMIZERS = [
    "SGD",
    "RMSprop",
    "Adam",
    "AdamW",
    "Nadam",
    "Adagrad",
    "Adamax",
    "Lion",
    "GradientDescent",
    "Momentum",
]
_REGULARIZERS = ("L1", "L2", "L1L2", "Frobenius")


def is_wide(layer):
    """Whether a layer has a width that may differ between members."""
    return type(layer) in WIDTHS


def width(layer):
    return getattr(layer, WIDTHS[type(layer)])


def optimizer_will_do(optimizer):
    return (
        type(optimizer).__name__ in _OPTIMIZERS
        and _is_known(optimizer)
        and not optimizer.gradient_accumulation_steps
    )


def layer_will_do(layer):
    """Whether a layer's zeros stay zero, and stay without influence."""
    if is_wide(layer):
        return (
            getattr(layer, "groups", 1) == 1
            and layer.activity_regularizer is None
            and layer.kernel_constraint is None
            and layer.bias_constraint is None
            and not getattr(layer, "lora_rank", None)
            and _regularizer_will_do(layer.kernel_regularizer)
            and _regularizer_will_do(layer.bias_regularizer)
            and getattr(layer, "data_format", None) != "channels_first"
        )
    if type(layer).__name__ == "BatchNormalization" and _is_known(layer):
        return getattr(layer, "axis", -1) in (-1, None) and not any(
            getattr(layer, f"{name}_{kind}", None)
            for name in ("beta", "gamma")
            for kind in ("regularizer", "constraint")
        )
    return type(layer) in _FEATURE_BY_FEATURE or (
        type(layer).__name__ == "InvertedDropout" and _is_known(layer)
    )


def passes_origin(layer):
    activation = getattr(layer, "activation", None)
    return activation is None or (
        activation.__name__ in THROUGH_ORIGIN and _is_known(activation)
    )


def _regularizer_will_do(regularizer):
    return regularizer is None or (
        type(regularizer).__name__ in _REGULARIZERS and _is_known(regularizer)
    )


def _is_known(thing):
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return module.startswith(("keras.", "tfcourse."))
