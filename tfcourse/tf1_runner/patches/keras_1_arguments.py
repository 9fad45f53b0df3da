"""The arguments of Keras 1, which Keras took until 2.3."""

import functools

from tf_keras.api._v1 import keras
from tf_keras.src.utils import np_utils

_ANY_LAYER = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "init": "kernel_initializer",
    "subsample": "strides",
}
_RECURRENT = {
    "dropout_U": "recurrent_dropout",
    "dropout_W": "dropout",
    "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer",
    "output_dim": "units",
    "U_regularizer": "recurrent_regularizer",
}
_CONVOLUTION_1D = {
    "filter_length": "kernel_size",
    "nb_filter": "filters",
    "subsample_length": "strides",
}
_POOLING_1D = {"pool_length": "pool_size", "stride": "strides"}
_LAYERS = {
    "Conv1D": _CONVOLUTION_1D,
    "Conv2D": {"nb_filter": "filters"},
    "Conv2DTranspose": {"nb_filter": "filters"},
    "AveragePooling1D": _POOLING_1D,
    "AveragePooling2D": {},
    "Dense": {"output_dim": "units"},
    "Dropout": {"p": "rate"},
    "Embedding": {"init": "embeddings_initializer"},
    "GRU": _RECURRENT,
    "LSTM": _RECURRENT,
    "MaxPooling1D": _POOLING_1D,
    "MaxPooling2D": {},
    "SimpleRNN": _RECURRENT,
    "UpSampling2D": {},
    "ZeroPadding2D": {},
}
_VALUES = {
    "tf": "channels_last",
    "th": "channels_first",
    "normal": "random_normal",
    "uniform": "random_uniform",
}


def apply() -> None:
    """Lets layers take them besides their own."""
    for name, old in _LAYERS.items():
        layer = getattr(keras.layers, name)
        layer.__init__ = _taking(_ANY_LAYER | old, layer.__init__)
    for name in ("Conv2D", "Conv2DTranspose"):
        layer = getattr(keras.layers, name)
        layer.__init__ = _taking_rows_and_columns(layer.__init__)
    for module in (keras.utils, np_utils):
        module.to_categorical = _taking(
            {"nb_classes": "num_classes"}, module.to_categorical
        )


def _taking(renamed, function):
    """Returns `function`, which takes arguments by their old names as well."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        for old in {*renamed} & {*kwargs}:
            value = kwargs.pop(old)
            kwargs[renamed[old]] = (
                _VALUES.get(value, value) if isinstance(value, str) else value
            )
        return function(*args, **kwargs)

    return call


def _taking_rows_and_columns(initialize):
    """`Convolution2D(filters, rows, columns)`.

    Keras 2 says `padding`; there the third number is that of the strides.
    """

    @functools.wraps(initialize)
    def call(self, filters=None, *args, nb_row=None, nb_col=None, **kwargs):
        if nb_row is not None:
            kwargs["kernel_size"] = nb_row, nb_col
        if (
            len(args) > 1
            and all(isinstance(n, int) for n in args[:2])
            and not {"padding", "data_format"} & {*kwargs}
        ):
            args = (tuple(args[:2]), *args[2:])
        filters = kwargs.pop("nb_filter", filters)
        return initialize(self, filters, *args, **kwargs)

    return call
