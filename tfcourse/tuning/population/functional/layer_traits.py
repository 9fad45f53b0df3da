"""What is special of some layers, losses and metrics, in one table."""

from typing import Any

import keras
from keras import layers

from tfcourse.utils.keras_private import build_shapes

CONVOLUTIONS = (
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
    layers.ConvLSTM1D,
    layers.ConvLSTM2D,
    layers.ConvLSTM3D,
)
# Those whose weights have a gradient of some rows only.
SPARSE = (layers.Embedding,)
# Where rates of dropout stand, of layers that have a generator with or without.
_DROPOUT_RATES = ("dropout", "recurrent_dropout")


def convolves(layer: Any) -> bool:
    return isinstance(layer, CONVOLUTIONS)


def has_sparse_gradient(layer: Any) -> bool:
    return isinstance(layer, SPARSE)


def draws_numbers(layer: Any) -> bool:
    """Whether a layer draws random numbers in training."""
    if not getattr(layer, "seed_generator", None):
        return False
    return any(getattr(layer, name, 1) for name in _DROPOUT_RATES)


def is_known(layer: Any) -> bool:
    """Whether a layer is Keras's or tfcourse's own."""
    return type(layer).__module__.startswith(("keras.", "tfcourse."))


def is_in_keras(thing: Any) -> bool:
    """Whether an object is of a class of Keras's own."""
    return type(thing).__module__.startswith("keras.")


def steps_of(recurrent: keras.layers.RNN) -> int | None:
    """Returns the length of sequences that a layer was built for, if known."""
    shapes = build_shapes(recurrent)
    shape = next(iter(shapes.values()), None)
    return shape[1] if shape and len(shape) > 1 else None
