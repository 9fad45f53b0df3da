"""What a layer of Keras's was made with, and how to make one like it."""

import warnings
from collections.abc import Mapping
from typing import Any

from keras import layers

from tfcourse.hyperparameter import names_declared

# Whose settings are those of layers inside them.
WRAPPERS = {
    layers.Bidirectional: ("forward_layer", "backward_layer"),
    layers.TimeDistributed: ("layer",),
}
SEQUENCES = "return_sequences"
_FUNCTIONS = ("activation", "recurrent_activation")
_OBJECTS = ("regularizer", "constraint", "initializer")
# What says how a layer begins, or by what name it goes.
_OF_NO_GRAPH = ("name", "seed")


def inner(layer: Any) -> Any:
    """Returns the layer that does the work: a wrapper's, or itself."""
    names = WRAPPERS.get(type(layer))
    return layer if names is None else getattr(layer, names[0])


def gives_sequences(layer: Any) -> bool | None:
    """Whether a layer gives a value a step; None if it has no choice."""
    return getattr(inner(layer), SEQUENCES, None)


def settings(layer: Any) -> dict[str, Any]:
    """Returns what determines what a layer of Keras's or tfcourse's computes.

    Values that live in variables are not among them, nor what says how its
    weights begin.
    """
    if not isinstance(layer, layers.Layer):
        # An operation has none.
        return {}
    found = _arguments(layer)
    variables = names_declared(type(layer))
    kept = {
        name: value
        for name, value in found.items()
        if name not in _OF_NO_GRAPH
        and name not in variables
        and not name.endswith("initializer")
    }
    for name in WRAPPERS.get(type(layer), ()):
        kept[name] = settings(getattr(layer, name))
        if type(layer) is layers.Bidirectional:
            # It sets it to whether it gives a sequence.
            kept[name].pop("zero_output_for_mask", None)
    kept["use_cudnn"] = getattr(layer, "use_cudnn", None)
    return kept


def remade(
    layer: Any,
    changes: Mapping[str, Any],
    name: str | None = None,
    cls: type | None = None,
) -> Any:
    """Returns a new layer like another, not built, with other settings.

    Args:
        layer: The layer.
        changes: The settings that are others; a wrapper's go to what it wraps.
        name: Its name, or None for the name of the other.
        cls: Its class, or None for that of the other.
    """
    arguments = _arguments(layer)
    for part in WRAPPERS.get(type(layer), ()):
        arguments.pop(part, None)
        arguments[_parameter(part)] = remade(getattr(layer, part), changes)
    if type(layer) not in WRAPPERS:
        arguments |= changes
    if name is not None:
        arguments["name"] = name
    new = (cls or type(layer))(**arguments)
    if hasattr(layer, "use_cudnn"):
        new.use_cudnn = layer.use_cudnn
    return new


def _arguments(layer: Any) -> dict[str, Any]:
    """Returns what a layer was made with, objects as they are."""
    with warnings.catch_warnings():
        # Functions without a name are taken as they are.
        warnings.simplefilter("ignore")
        config = layer.get_config()
    if type(layer) in WRAPPERS:
        for part in (*WRAPPERS[type(layer)], "layer"):
            config.pop(part, None)
    for name in config:
        if name in _FUNCTIONS or name.endswith(_OBJECTS):
            config[name] = getattr(layer, name)
    return config | {"dtype": layer.dtype_policy}


def _parameter(part: str) -> str:
    return "layer" if part == "forward_layer" else part
