"""Activations, of which each member has one of Keras's own."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from tfcourse.tuning.population.settings.member_number import (
    MemberChoice,
    MemberNumber,
)
from tfcourse.tuning.population.settings.setting import (
    Form,
    Kind,
    MemberCall,
    Value,
)

# Those that change the shape, and one that Keras calls without its arguments.
_NOT_CHOSEN = {"glu", "threshold", "deserialize", "get", "serialize"}
FUNCTIONS = {
    function: name
    for name, function in vars(keras.activations).items()
    if callable(function) and name not in _NOT_CHOSEN
}
# From their results Keras's losses find back to the arguments.
_WITH_LOGITS = ("softmax", "sigmoid")
# Whose slope overflows for arguments that are large, but no more than that.
_STEEP = ("exponential",)
ACTIVATION_LAYERS = (
    layers.Activation,
    layers.ELU,
    layers.LeakyReLU,
    layers.ReLU,
)
_OF_LAYERS = ("activation", "negative_slope", "alpha", "max_value", "threshold")


class Activation(Form):
    """An attribute such as `activation`, or a layer that is nothing else.

    Args:
        name: The attribute, or `"call"` of the layer.
        is_output: Whether it may be what a loss gets to see.
    """

    def __init__(self, name: str, is_output: bool = False) -> None:
        super().__init__(*(_OF_LAYERS if name == "call" else [name]))
        self._is_output = is_output

    def read(self, owner: Any, name: str) -> Value | None:
        value = value_of(owner if name == "call" else getattr(owner, name))
        if value is None or (self._is_output and value.kind in _WITH_LOGITS):
            return None
        return value

    def install(
        self,
        owner: Any,
        name: str,
        kinds: list[Kind],
        choice: MemberChoice | None,
    ) -> None:
        functions = [_bound(kind) for kind in kinds]
        chosen = ChosenActivation(functions, choice)
        vars(owner)[name] = MemberCall(chosen) if name == "call" else chosen


class ChosenActivation:
    """Computes several functions, and gives the one that a member has."""

    def __init__(
        self,
        functions: list[Callable[[Any], Any]],
        choice: MemberChoice | None,
    ) -> None:
        self._functions = functions
        self._choice = choice

    def __call__(self, x: Any) -> Any:
        if self._choice is None:
            return self._functions[0](x)
        return self._choice.select(
            [
                function(self._safe(kind, function, x))
                for kind, function in enumerate(self._functions)
            ]
        )

    def _safe(self, kind: int, function: Any, x: Any) -> Any:
        """Returns what is finite for a member that has another function."""
        if FUNCTIONS.get(function) not in _STEEP or self._choice is None:
            return x
        return ops.where(self._choice.is_own(kind), x, ops.zeros_like(x))


def value_of(activation: Any) -> Value | None:
    """Returns an activation of Keras's own as a `Value`, any other as None."""
    if type(activation) is layers.Activation:
        activation = activation.activation
    if isinstance(activation, ACTIVATION_LAYERS):
        return _of_layer(activation)
    if activation is None:
        activation = keras.activations.linear
    try:
        name = FUNCTIONS.get(activation)
    except TypeError:
        return None
    return None if name is None else Value(kind=name, source=activation)


def _of_layer(layer: Any) -> Value | None:
    if type(layer) is layers.LeakyReLU:
        return Value((float(layer.negative_slope),), "LeakyReLU")
    if type(layer) is layers.ELU:
        return Value((float(layer.alpha),), "ELU")
    if type(layer) is not layers.ReLU:
        return None
    numbers = layer.negative_slope, layer.max_value, layer.threshold
    if numbers == (0, None, 0):
        return value_of(keras.activations.relu)
    # How it is computed depends on which of them are there.
    return Value(kind=("ReLU", *numbers), source=layer)


def _bound(kind: Kind) -> Callable[[Any], Any]:
    """Returns the function of a kind, of the array only."""
    if not kind.numbers:
        if isinstance(kind.source, layers.ReLU):
            return kind.source.call
        return kind.source
    (number,) = kind.numbers
    function = {"LeakyReLU": _leaky_relu, "ELU": _elu}[str(kind.name)]
    return lambda x: function(x, number)


def _leaky_relu(x: Any, slope: float | MemberNumber) -> Any:
    # Keras's takes the slope for a constant.
    return ops.where(x > 0, x, x * slope)


def _elu(x: Any, alpha: float | MemberNumber) -> Any:
    below: Any = ops.elu(x)
    return ops.where(x > 0, x, below * alpha)
