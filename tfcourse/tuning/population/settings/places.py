"""Where settings stand: which attributes of which of Keras's classes."""

from collections.abc import Iterator
from typing import Any

import keras
from keras import layers, optimizers
from keras.optimizers import schedules

from tfcourse.tuning.population.settings.forms.activation import (
    ACTIVATION_LAYERS,
    Activation,
)
from tfcourse.tuning.population.settings.forms.noise import Noise
from tfcourse.tuning.population.settings.forms.optimizer import (
    Clipping,
    Optional,
    Widened,
)
from tfcourse.tuning.population.settings.forms.recurrent_noise import (
    NoiseOfCell,
)
from tfcourse.tuning.population.settings.forms.regularizer import (
    Regularizer,
    is_regularizer,
)
from tfcourse.tuning.population.settings.setting import Form, Number
from tfcourse.utils.keras_private import CLIPS

NOISE = {
    layers.AlphaDropout: "rate",
    layers.Dropout: "rate",
    layers.GaussianDropout: "rate",
    layers.GaussianNoise: "stddev",
    layers.SpatialDropout1D: "rate",
    layers.SpatialDropout2D: "rate",
    layers.SpatialDropout3D: "rate",
}
_NUMBERS = {
    layers.BatchNormalization: ("momentum", "epsilon"),
    layers.GroupNormalization: ("epsilon",),
    layers.GroupQueryAttention: ("dropout",),
    layers.LayerNormalization: ("epsilon",),
    layers.MultiHeadAttention: ("_dropout",),
    layers.RMSNormalization: ("epsilon",),
    optimizers.Adadelta: ("rho", "epsilon"),
    optimizers.Adagrad: ("epsilon",),
    optimizers.Adam: ("beta_1", "beta_2", "epsilon"),
    optimizers.AdamW: ("beta_1", "beta_2", "epsilon"),
    optimizers.Adamax: ("beta_1", "beta_2", "epsilon"),
    optimizers.Lion: ("beta_1", "beta_2"),
    optimizers.Nadam: ("beta_1", "beta_2", "epsilon"),
    optimizers.RMSprop: ("rho", "epsilon"),
    optimizers.SGD: (),
    schedules.CosineDecay: ("initial_learning_rate", "decay_steps", "alpha"),
    schedules.ExponentialDecay: (
        "initial_learning_rate",
        "decay_steps",
        "decay_rate",
    ),
    schedules.InverseTimeDecay: (
        "initial_learning_rate",
        "decay_steps",
        "decay_rate",
    ),
    schedules.PolynomialDecay: (
        "initial_learning_rate",
        "decay_steps",
        "end_learning_rate",
        "power",
    ),
}
# Those that decide by being zero which slots an optimizer has.
_WITH_SLOTS = {
    optimizers.RMSprop: ("momentum",),
    optimizers.SGD: ("momentum",),
}
_OF_CELLS = ("dropout", "recurrent_dropout")
_CELLS = (layers.GRUCell, layers.LSTMCell, layers.SimpleRNNCell)
_ACTIVATIONS = ("activation", "recurrent_activation")


def _name(cls: type) -> str:
    # What was made functional is a subclass, and goes by the same name.
    return f"{cls.__module__}.{cls.__qualname__}"


_CLASSES = {
    _name(cls): cls for cls in (*NOISE, *_NUMBERS, *ACTIVATION_LAYERS, *_CELLS)
}


def places(owner: Any, is_output: bool) -> Iterator[tuple[str, Form]]:
    """Yields the names of what may be settings of an object, and their forms.

    Args:
        owner: A layer, an optimizer, or anything else.
        is_output: Whether a loss may get to see its outputs as they are.
    """
    if not _is_keras_own(owner):
        return
    cls = _CLASSES.get(_name(type(owner)), type(owner))
    if isinstance(owner, keras.layers.Layer):
        # Arithmetic of lower precision would need rounding of its own.
        if owner.dtype_policy.name == "float32":
            yield from _of_layer(owner, cls, is_output)
        return
    for name in _NUMBERS.get(cls, ()):
        yield name, Number(name)
    if isinstance(owner, optimizers.Optimizer) and cls in _NUMBERS:
        for name in _WITH_SLOTS.get(cls, ()):
            yield name, Widened(name)
        yield "weight_decay", Optional("weight_decay")
        yield CLIPS[0], Clipping()
        if owner.use_ema:
            yield "ema_momentum", Number("ema_momentum")


def _of_layer(
    owner: Any, cls: type, is_output: bool
) -> Iterator[tuple[str, Form]]:
    if cls in NOISE:
        yield NOISE[cls], Noise(NOISE[cls])
    for name in _NUMBERS.get(cls, ()):
        yield name, Number(name)
    if cls in _CELLS:
        for name in _OF_CELLS:
            yield name, NoiseOfCell(name)
    if cls in ACTIVATION_LAYERS:
        yield "call", Activation("call", is_output)
    else:
        for name in _ACTIVATIONS:
            if name in vars(owner):
                yield name, Activation(name, is_output)
    for name in vars(owner):
        if is_regularizer(name):
            yield name, Regularizer(name)


def _is_keras_own(owner: Any) -> bool:
    # Layers of a supernet are subclasses of Keras's.
    return type(owner).__module__.startswith(("keras.", "tfcourse.tuning."))
