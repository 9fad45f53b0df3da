"""The layers and calls inside a model, and what tensors carry with them."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell
from keras.src.models.functional import Functional
from keras.src.ops import numpy as numpy_operations


def every_layer(model: keras.Model, itself: bool = True) -> list[Any]:
    """Returns all layers of a model, however deep; the model first.

    Args:
        model: The model.
        itself: Whether the model is among them.
    """
    return list(model._flatten_layers(include_self=itself))


def made_from_logits(outputs: Any) -> bool:
    """Returns whether a sigmoid or a softmax has just made these outputs.

    Keras's losses then take the logits before it, whatever they were told.
    """
    return hasattr(outputs, "_keras_logits")


def sublayers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns the layers directly inside a layer or model."""
    return layer._flatten_layers(include_self=False, recursive=False)


def graph_of(model: Any) -> keras.Model | None:
    """Returns the functional model that a model runs as it stands.

    `None` if there is none: the model is a layer, written as a class or, if
    sequential, not built.
    """
    if isinstance(model, keras.Sequential):
        plain = type(model).call is keras.Sequential.call
        return model._functional if plain else None
    if isinstance(model, Functional):
        return model if type(model).call is Functional.call else None
    return None


def is_plain_functional(model: keras.Model) -> bool:
    """Whether a model is just what `keras.Model(inputs, outputs)` gives."""
    return type(model) is Functional


# What `x + y` and its like leave in a functional model.
ELEMENTWISE_OPERATIONS = (
    numpy_operations.Add,
    numpy_operations.Subtract,
    numpy_operations.Multiply,
    numpy_operations.Maximum,
    numpy_operations.Minimum,
)


@dataclasses.dataclass(frozen=True, eq=False)
class Call:
    """One call in a functional model.

    Attributes:
        operation: A layer, or an operation of `keras.ops`.
        inputs: The `KerasTensor`s that it takes, a list.
        outputs: Those that it gives.
        args, kwargs: With what it was called, the inputs in their places.
    """

    operation: Any
    inputs: list
    outputs: list
    _arguments: Any = dataclasses.field(repr=False)

    @property
    def args(self) -> tuple:
        return self._arguments.args

    @property
    def kwargs(self) -> Mapping[str, Any]:
        return self._arguments.kwargs

    def filled(self, values: list) -> tuple[tuple, dict]:
        """Returns the arguments, with these values for the inputs."""
        return self._arguments.fill_in(
            dict(zip(map(id, self.inputs), values, strict=True))
        )

    def run(self, values: list) -> list:
        """Calls the operation, at inference, on the values of its inputs."""
        args, kwargs = self.filled(values)
        if "training" in getattr(self.operation, "_call_context_args", ()):
            kwargs = {**kwargs, "training": False}
        return keras.tree.flatten(self.operation(*args, **kwargs))


def calls(graph: keras.Model) -> list[Call]:
    """Returns the calls that make up a functional model, inputs first."""
    return [
        Call(
            node.operation,
            node.input_tensors,
            node.output_tensors,
            node.arguments,
        )
        for depth in sorted(graph._nodes_by_depth, reverse=True)
        for node in graph._nodes_by_depth[depth]
        if not node.is_input
    ]


def standardized_inputs(graph: keras.Model, x: Any) -> list:
    """Returns the inputs of a functional model as it takes them, flat."""
    return graph._standardize_inputs(x)


def mask_of(tensor: Any) -> Any:
    """Returns the mask that a tensor carries, or `None`."""
    return getattr(tensor, "_keras_mask", None)


def set_mask(tensor: Any, mask: Any) -> None:
    """Gives a tensor the mask to carry."""
    tensor._keras_mask = mask


def first_of_sequential(model: keras.Sequential) -> Any:
    """Returns the first layer, also an `InputLayer`, which `layers` omits."""
    return (model._layers or [None])[0]


def give_input(model: keras.Sequential, shape: tuple[int | None, ...]) -> None:
    """Puts the input layer first that a batch of some shape would put there."""
    first = keras.layers.InputLayer(
        batch_shape=shape, dtype=model._layers[0].compute_dtype
    )
    model._layers = [first, *model._layers]


def build_shapes(layer: keras.layers.Layer) -> dict[str, Any]:
    """Returns the arguments that a layer's `build` was called with."""
    return layer._build_shapes_dict or {}


def called(layer: keras.layers.Layer, x: Any, training: bool) -> Any:
    """Returns a layer's outputs, called with `training` if it takes that."""
    if layer._call_has_training_arg:
        return layer(x, training=training)
    return layer(x)


def build_symbolically(
    model: keras.Model, x: Any, y: Any = None, sample_weight: Any = None
) -> None:
    """Builds a model, its loss and its metrics, and computes nothing.

    Args:
        model: A compiled model.
        x, y, sample_weight: A few examples, nested arrays or tensors.
    """

    def as_fit_takes_it(array: Any) -> Any:
        if isinstance(array, np.ndarray) and array.dtype.kind == "f":
            return array.astype(keras.config.floatx())
        return array

    data = keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
    model._symbolic_build(
        data_batch=keras.tree.map_structure(as_fit_takes_it, data)
    )


def noise_shape_of(layer: keras.layers.Dropout, inputs: Any) -> Any:
    """Returns which of the numbers that a layer draws are the same."""
    if hasattr(layer, "_get_noise_shape"):
        return layer._get_noise_shape(inputs)
    return layer.noise_shape


def cells_with_masks(layer: Any) -> list[Any]:
    """Returns what in a layer may draw masks of dropout for sequences."""
    every = every_layer(layer)
    return [cell for cell in every if isinstance(cell, DropoutRNNCell)]


def set_masks(cell: Any, draw: Callable[[str, Any, int], list[Any]]) -> None:
    """Lets a recurrent cell draw its masks of dropout by another function.

    Args:
        cell: The cell.
        draw: A function of the name of the rate, of what the mask is for, and
            of how many masks there are.
    """
    count = getattr(cell, "dropout_mask_count", None)

    def set_mask(name: str) -> None:
        kept = f"_{name}_mask"

        def mask(inputs: Any) -> Any:
            if getattr(cell, kept, None) is None and getattr(cell, name):
                masks = draw(name, inputs, count or 1)
                setattr(cell, kept, masks[0] if count is None else masks)
            return getattr(cell, kept, None)

        vars(cell)[f"get_{name}_mask"] = mask

    set_mask("dropout")
    set_mask("recurrent_dropout")


def logits_of(tensor: Any) -> Any:
    """Returns what a softmax or sigmoid was computed of, or `None`."""
    return getattr(tensor, "_keras_logits", None)


def set_logits(tensor: Any, logits: Any) -> None:
    """Notes what a softmax or sigmoid was computed of, for losses."""
    tensor._keras_logits = logits


def initializer_of(variable: keras.Variable) -> Any:
    """Returns what a variable begins with, or None if it was given a value."""
    return variable._initializer


def set_layers(model: keras.Sequential, layers: list[Any]) -> None:
    """Builds a `keras.Sequential` of other layers, on the same input."""
    for _ in model.layers:
        model.pop(rebuild=False)
    for layer in layers:
        model.add(layer, rebuild=False)
    model._maybe_rebuild()


def rebuild(model: keras.Sequential) -> None:
    """Builds a `keras.Sequential` whose layers have an input."""
    model._maybe_rebuild()
