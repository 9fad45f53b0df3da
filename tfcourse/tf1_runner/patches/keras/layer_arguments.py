"""The arguments that layers took in Keras 1, and until Keras 2.3."""

import functools
import inspect
import types

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
    "poolsize": "pool_size",
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
_CONVOLUTION = {"nb_filter": "filters", "atrous_rate": "dilation_rate"}
_CONVOLUTION_1D = _CONVOLUTION | {
    "filter_length": "kernel_size",
    "subsample_length": "strides",
}
_POOLING_1D = {"pool_length": "pool_size", "stride": "strides"}
_RATE = {"p": "rate"}
_LAYERS = {
    "AveragePooling1D": _POOLING_1D,
    "BatchNormalization": {
        "beta_init": "beta_initializer",
        "gamma_init": "gamma_initializer",
    },
    "Conv1D": _CONVOLUTION_1D,
    "Conv2D": _CONVOLUTION,
    "Conv2DTranspose": _CONVOLUTION,
    "Conv3D": _CONVOLUTION,
    "Dense": {"output_dim": "units"},
    "Dropout": _RATE,
    "Embedding": {
        "init": "embeddings_initializer",
        "W_constraint": "embeddings_constraint",
        "W_regularizer": "embeddings_regularizer",
    },
    "GRU": _RECURRENT,
    "GaussianDropout": _RATE,
    "GaussianNoise": {"sigma": "stddev"},
    "LSTM": _RECURRENT,
    "LocallyConnected1D": _CONVOLUTION_1D,
    "LocallyConnected2D": _CONVOLUTION,
    "MaxPooling1D": _POOLING_1D,
    "PReLU": {"init": "alpha_initializer"},
    "SeparableConv2D": _CONVOLUTION
    | {
        "depthwise_init": "depthwise_initializer",
        "pointwise_init": "pointwise_initializer",
    },
    "SimpleRNN": _RECURRENT,
    "SpatialDropout1D": _RATE,
    "SpatialDropout2D": _RATE,
    "SpatialDropout3D": _RATE,
    "UpSampling1D": {"length": "size"},
}
# What changes no result, or was always so.
_IGNORED_BY_ALL = ("input_dtype",)
_IGNORED = {
    "GRU": ("consume_less",),
    "LSTM": ("consume_less", "forget_bias_init"),
    "SimpleRNN": ("consume_less",),
}
_VALUES = {
    "one": "ones",
    "tf": "channels_last",
    "th": "channels_first",
    "normal": "random_normal",
    "uniform": "random_uniform",
    "zero": "zeros",
}
# How many sizes a kernel has: (filters, rows, columns).
_KERNELS = {
    "Conv2D": ("nb_row", "nb_col"),
    "Conv2DTranspose": ("nb_row", "nb_col"),
    "Conv3D": ("kernel_dim1", "kernel_dim2", "kernel_dim3"),
    "LocallyConnected2D": ("nb_row", "nb_col"),
    "SeparableConv2D": ("nb_row", "nb_col"),
}
_OF_INPUT_LENGTH = ("Conv1D", "LocallyConnected1D")


def apply() -> None:
    """Lets layers take them besides their own."""
    for name, layer in vars(keras.layers).copy().items():
        if inspect.isclass(layer) and layer.__name__ == name:
            ignored = _IGNORED_BY_ALL + _IGNORED.get(name, ())
            layer.__init__ = _taking(
                old_arguments(name), layer.__init__, ignored
            )
    for name, sizes in _KERNELS.items():
        layer = getattr(keras.layers, name)
        layer.__init__ = _taking_sizes(sizes, layer.__init__)
    for name in _OF_INPUT_LENGTH:
        layer = getattr(keras.layers, name)
        layer.__init__ = _taking_input_length(layer.__init__)
    for name in ("Dense", "LSTM", "GRU", "SimpleRNN", "Embedding"):
        layer = getattr(keras.layers, name)
        layer.__init__ = _taking_input_first(name, layer.__init__)
    _extend_embedding()
    _extend_batch_normalization()
    for module in (keras.utils, np_utils):
        module.to_categorical = _taking(
            {"nb_classes": "num_classes"}, module.to_categorical
        )


def old_arguments(layer: str) -> dict[str, str]:
    """Returns the old names of a layer's arguments, and their names today."""
    return _ANY_LAYER | _LAYERS.get(layer, {})


def arguments(layer: str) -> set[str]:
    """Returns the names of all that a layer takes besides its own."""
    return {
        *old_arguments(layer),
        *_IGNORED.get(layer, ()),
        *_KERNELS.get(layer, ()),
        *({"mode"} if layer == "BatchNormalization" else ()),
    }


def _taking(renamed, function, ignored=()):
    """Returns `function`, which takes arguments by their old names as well."""
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def call(*args, **kwargs):
        for old in {*renamed} & {*kwargs} - {*known}:
            kwargs[renamed[old]] = _value(kwargs.pop(old))
        for old in {*ignored} & {*kwargs}:
            del kwargs[old]
        return function(*args, **kwargs)

    call._old_arguments = {*renamed, *ignored}
    return call


def _value(value):
    """Returns what an old argument's value is called, or does, today."""
    if isinstance(value, str):
        return _VALUES.get(value, value)
    return (
        _initializer(value) if isinstance(value, types.FunctionType) else value
    )


def _initializer(function):
    """A function of a shape, which made a variable in Keras 1."""
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def initialize(shape, **settings):
        made = function(
            shape, **{k: settings[k] for k in settings if k in known}
        )
        return getattr(made, "initial_value", made)

    return initialize


def _taking_sizes(names, initialize):
    """`Convolution2D(filters, rows, columns)`.

    Keras 2 says `padding`; there the third number is that of the strides.
    """
    several = len(names)

    @functools.wraps(initialize)
    def call(self, filters=None, *args, **kwargs):
        if names[0] in kwargs:
            kwargs["kernel_size"] = tuple(kwargs.pop(name) for name in names)
        numbers = [n for n in args if isinstance(n, int)]
        if len(numbers) == several + 1 == len(args):
            args = args[1:]  # Before Keras 1.0 the input's channels came, too.
        if (
            len(args) >= several
            and all(isinstance(n, int) for n in args[:several])
            and not {"padding", "data_format"} & {*kwargs}
        ):
            args = (tuple(args[:several]), *args[several:])
        filters = kwargs.pop("nb_filter", filters)
        return initialize(self, filters, *args, **kwargs)

    return call


def _taking_input_length(initialize):
    """`Convolution1D(filters, length, input_dim=, input_length=)`."""

    @functools.wraps(initialize)
    def call(self, *args, **kwargs):
        if "input_dim" in kwargs:
            channels = kwargs.pop("input_dim")
            length = kwargs.pop("input_length", None)
            kwargs["input_shape"] = (length, channels)
        return initialize(self, *args, **kwargs)

    return call


def _taking_input_first(name, initialize):
    """`Dense(input_dim, output_dim)`, before Keras 1.0."""

    @functools.wraps(initialize)
    def call(self, *args, **kwargs):
        numbers = [isinstance(arg, int) for arg in args[:2]]
        if name != "Embedding" and numbers == [True, True]:
            kwargs["input_dim"], *args = args
        return initialize(self, *args, **kwargs)

    return call


def _extend_embedding():
    """`Embedding(dropout=)`, of whole words, which Keras 2 left out."""
    embedding = keras.layers.Embedding
    initialize, look_up = embedding.__init__, embedding.call

    @functools.wraps(initialize)
    def initialize_as_then(self, *args, dropout=0.0, **kwargs):
        initialize(self, *args, **kwargs)
        self._dropout_of_words = dropout

    @functools.wraps(look_up)
    def call(self, inputs, training=None):
        vectors = look_up(self, inputs)
        if not self._dropout_of_words:
            return vectors
        rate = self._dropout_of_words
        words = keras.backend.ones_like(vectors[..., :1])
        kept = keras.backend.dropout(words, rate)
        return keras.backend.in_train_phase(vectors * kept, vectors, training)

    embedding.__init__, embedding.call = initialize_as_then, call


def _extend_batch_normalization():
    """`BatchNormalization(epsilon, mode)`; mode 2 always took the batch's."""
    layer = keras.layers.BatchNormalization
    initialize, normalize = layer.__init__, layer.call

    @functools.wraps(initialize)
    def initialize_as_then(self, *args, mode=0, **kwargs):
        if args and isinstance(args[0], float):
            kwargs["epsilon"], *args = args
        if mode == 1:
            raise ValueError(
                "`mode=1` of BatchNormalization, which normalized each example "
                "by itself, is LayerNormalization today."
            )
        initialize(self, *args, **kwargs)
        self._always_of_batch = mode == 2

    @functools.wraps(normalize)
    def call(self, inputs, training=None, **kwargs):
        training = True if self._always_of_batch else training
        return normalize(self, inputs, training=training, **kwargs)

    call.__signature__ = inspect.signature(normalize)
    layer.__init__, layer.call = initialize_as_then, call
