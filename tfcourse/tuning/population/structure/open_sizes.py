"""Sizes of layers that a program leaves open, until it meets the weights.

Keras's own layers compute with the weights that they are given, and few ask
what size they were made with: a step that is traced for weights of any size
serves networks of all widths, each at the cost of its own.
"""

import contextlib
import functools
from collections.abc import Iterable, Iterator
from typing import Any

import keras
from keras import layers, ops

from tfcourse.tuning.population.structure.reader import Structure
from tfcourse.utils.keras_private import ELEMENTWISE_OPERATIONS

# What they compute follows from their inputs and their weights. That it does
# is tested for each of them.
OPEN_LAYERS = (
    layers.Activation,
    layers.Add,
    layers.Average,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.BatchNormalization,
    layers.Bidirectional,
    layers.Concatenate,
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    layers.Dense,
    layers.Dropout,
    layers.ELU,
    layers.Embedding,
    layers.Flatten,
    layers.GRU,
    layers.GRUCell,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.InputLayer,
    layers.LSTM,
    layers.LSTMCell,
    layers.LeakyReLU,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.Maximum,
    layers.Multiply,
    layers.Normalization,
    layers.ReLU,
    layers.Rescaling,
    layers.SimpleRNN,
    layers.SimpleRNNCell,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.Subtract,
    layers.TimeDistributed,
)
_CELLS = layers.GRUCell, layers.LSTMCell, layers.SimpleRNNCell
_CONVOLUTIONS = layers.Conv1D, layers.Conv2D, layers.Conv3D
# What of their attributes says how large they are.
_SIZES = frozenset(
    {"filters", "output_dim", "output_size", "state_size", "units"}
)
_KERNEL = "kernel_size"
# What else of them may be anybody's.
_FUNCTIONS = "activation", "constraint", "regularizer"
_OPEN = "open"
# How a functional model calls its layers.
_CONNECTIONS = "connections"


def without_sizes(
    structure: Structure, layers_of_model: Iterable[Any]
) -> Structure:
    """Returns the structure that networks of other sizes share.

    Args:
        structure: That of a model.
        layers_of_model: All layers of the model, those inside others included.

    Returns:
        The structure without sizes; as it is, if code of anybody's else than
        Keras's might look at them.
    """
    every = list(layers_of_model)
    if not are_open(every):
        return structure
    sizes = _SIZES
    if all(getattr(layer, "padding", "") != "causal" for layer in every):
        sizes |= {_KERNEL}
    return tuple(
        (name, _erased(part, sizes)) if name == "model" else (name, part)
        for name, part in structure
    )


def are_open(layers_of_model: Iterable[Any]) -> bool:
    """Whether layers compute with weights of any size."""
    return all(map(_is_open, layers_of_model))


def open_shapes(
    members: Iterable[list[tuple[int, ...]]],
) -> list[tuple[int | None, ...]]:
    """Returns the shapes of variables, with None for what members differ in.

    Args:
        members: For each member the shapes of all variables.
    """
    return [
        tuple(
            sizes[0] if len(set(sizes)) == 1 else None
            for sizes in zip(*shapes, strict=True)
        )
        for shapes in zip(*members, strict=True)
    ]


def fit_in(
    shapes: list[tuple[int, ...]], open_ones: list[tuple[int | None, ...]]
) -> bool:
    """Whether the shapes of a further member differ in what is open only."""
    return all(
        len(own) == len(some)
        and all(b in (None, a) for a, b in zip(own, some, strict=True))
        for own, some in zip(shapes, open_ones, strict=True)
    )


def _is_open(layer: Any) -> bool:
    if isinstance(layer, keras.Model):
        return type(layer).__module__.startswith("keras.") and all(
            isinstance(x, layers.Layer) or type(x) in ELEMENTWISE_OPERATIONS
            for x in getattr(layer, "operations", ())
        )
    return type(layer) in OPEN_LAYERS and (
        getattr(layer, "data_format", None) != "channels_first"
        and getattr(layer, "groups", 1) == 1
        and not getattr(layer, "stateful", False)
        and all(
            _is_of_keras(value)
            for name, value in vars(layer).items()
            if name.endswith(_FUNCTIONS)
        )
    )


def _is_of_keras(value: Any) -> bool:
    module = getattr(value, "__module__", None) or type(value).__module__
    return value is None or module.startswith("keras.")


def _erased(structure: Any, sizes: frozenset[str]) -> Any:
    if not isinstance(structure, tuple):
        return structure
    if structure[:1] == ("variable",):
        _, shape, *rest = structure
        return "variable", len(shape), *rest
    if len(structure) == 2 and structure[0] in sizes:
        return structure[0], _OPEN
    if structure[:1] == (_CONNECTIONS,):
        # That of each tensor that a layer is called with.
        sizes |= {"shape"}
    return tuple(_erased(part, sizes) for part in structure)


@contextlib.contextmanager
def of_open_sizes(every: Iterable[Any]) -> Iterator[None]:
    """While it lasts, layers compute with weights of any size.

    Args:
        every: The layers; the values of their variables are those of a scope.
    """
    before = []
    for one in every:
        for layer, name, value in _lent_to(one):
            # Not by `setattr`, by which Keras and TensorFlow keep track of it.
            before.append((layer, name, vars(layer).get(name)))
            vars(layer)[name] = value
    try:
        yield
    finally:
        for layer, name, value in before:
            if value is None:
                del vars(layer)[name]
            else:
                vars(layer)[name] = value


def _lent_to(layer: Any) -> Iterator[tuple[Any, str, Any]]:
    """Yields what a layer says about its size, by the sizes of its weights."""
    if isinstance(layer, _CELLS):
        units, size = _shape(layer.recurrent_kernel)[0], layer.state_size
        several = isinstance(size, (list, tuple))
        yield layer, "units", units
        yield layer, "state_size", [units] * len(size) if several else units
    if isinstance(layer, layers.Bidirectional):
        # To go both ways at once it compares the units, which are tensors.
        for one in (layer.forward_layer, layer.backward_layer):
            yield one, "use_cudnn", False
    if isinstance(layer, _CONVOLUTIONS):
        yield layer, "filters", _shape(layer.kernel)[-1]
    if isinstance(layer, layers.Flatten):
        yield layer, "call", functools.partial(_flattened, layer)


def _flattened(layer: layers.Flatten, inputs: Any) -> Any:
    if None not in inputs.shape[1:]:
        return type(layer).call(layer, inputs)
    return ops.reshape(inputs, (_shape(inputs)[0], -1))


def _shape(value: Any) -> Any:
    """Returns a shape, of a variable that of its value in the scope."""
    if isinstance(value, keras.Variable):
        value = value.value
    return ops.shape(value)
