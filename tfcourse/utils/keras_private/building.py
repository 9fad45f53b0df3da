"""What is made as a model is built, and when its variables get values."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.backend import Variable
from keras.src.layers.layer import Layer

from tfcourse.utils.keras_private.layers import every_layer
from tfcourse.utils.keras_private.patching import patched
from tfcourse.utils.keras_private.process import layer_at_work


class NotBuiltYetError(Exception):
    """Code asks for, or changes, what would have been built by then."""


_LISTS_OF_VARIABLES = (
    *("variables", "trainable_variables", "non_trainable_variables"),
    *("weights", "trainable_weights", "non_trainable_weights"),
)


@contextlib.contextmanager
def unbuilt() -> Iterator[None]:
    """While it lasts, a `keras.Sequential` waits to be built.

    Code that meanwhile looks at its variables meets a `NotBuiltYetError`, as
    does code that sets an attribute of its layers: it would come too late to
    have an effect on what Keras had built.
    """
    waiting: dict[int, Any] = {}
    call, set_attribute = Layer.__call__, Layer.__setattr__
    build_by_keras = keras.Sequential._maybe_rebuild

    def wait(model: keras.Sequential) -> None:
        first = model._layers[0]
        knows_shape = isinstance(first, keras.layers.InputLayer) or hasattr(
            first, "input_shape"
        )
        if knows_shape and len(model._layers) > 1:
            waiting.update((id(x), x) for x in every_layer(model))

    def build_now(self: Any, *args: Any, **kwargs: Any) -> Any:
        if id(self) in waiting:
            for layer in every_layer(self):
                waiting.pop(id(layer), None)
            if isinstance(self, keras.Sequential):
                build_by_keras(self)
        return call(self, *args, **kwargs)

    def check_built(self: Any, what: str) -> None:
        if id(self) in waiting:
            raise NotBuiltYetError(
                f"{self.name} is not built yet, and has no {what}"
            )

    def set_before(self: Any, name: str, value: Any) -> None:
        if name not in ("trainable", "_trainable") and not isinstance(
            self, keras.Model
        ):
            check_built(self, name)
        set_attribute(self, name, value)

    def checked(name: str) -> property:
        own = vars(Layer)[name].fget

        def get(self: Any) -> list[Variable]:
            check_built(self, name)
            return own(self)

        return property(get)

    with patched(
        (keras.Sequential, "_maybe_rebuild", wait),
        (Layer, "__call__", build_now),
        (Layer, "__setattr__", set_before),
        *((Layer, name, checked(name)) for name in _LISTS_OF_VARIABLES),
    ):
        yield


def changed_variables(model: keras.Model) -> dict[str, Any]:
    """Returns how variables differ from what their layers made them, by place.

    Code can freeze a variable, or give it a regularizer or a constraint, of
    which no config tells; and what it gives to a layer that is built comes too
    late for them.
    """
    found: dict[str, Any] = {}
    for number, layer in enumerate(every_layer(model)):
        own = [
            *((v, layer.trainable) for v in layer._trainable_variables),
            *((v, False) for v in layer._non_trainable_variables),
        ]
        given = {id(value) for value in vars(layer).values()}
        of = f"layer {number} ({type(layer).__name__})"
        for i, (variable, trainable) in enumerate(own):
            place = f"{of}, variable {i}"
            if bool(variable.trainable) != bool(trainable):
                found[f"{place}, trainable"] = bool(variable.trainable)
            if getattr(variable, "overwrite_with_gradient", False):
                found[f"{place}, overwrite_with_gradient"] = True
            for kind in ("regularizer", "constraint"):
                value = getattr(variable, kind, None)
                if value is not None and id(value) not in given:
                    found[f"{place}, {kind}"] = value
        for name in _given_too_late(layer, own):
            found[f"{of}, {name}"] = "given too late"
    return found


def _given_too_late(layer: Any, own: list[tuple[Any, bool]]) -> list[str]:
    """Returns regularizers and constraints that no variable has."""
    if not own:
        return []
    kinds = ("regularizer", "constraint")
    used = {id(getattr(v, kind, None)) for v, _ in own for kind in kinds}
    return [
        name
        for name, value in vars(layer).items()
        if name.endswith(("_regularizer", "_constraint"))
        and name != "activity_regularizer"
        and value is not None
        and id(value) not in used
    ]


@contextlib.contextmanager
def deferred_initialization(built: bool = False) -> Iterator[None]:
    """While it lasts, variables keep how they begin, instead of memory.

    Args:
        built: Whether a `keras.Sequential` is built as always.
    """
    with (
        contextlib.nullcontext() if built else unbuilt(),
        patched(
            *_deferring_methods(),
            *(
                (owner, "__setattr__", _set_untracked(owner))
                for owner in keras.layers.Layer.__mro__
                if owner.__name__ == "KerasAutoTrackable"
            ),
        ),
    ):
        yield


@dataclasses.dataclass
class Created:
    """The ids of what was created while it was noted."""

    operations: set[int] = dataclasses.field(default_factory=set)
    variables: set[int] = dataclasses.field(default_factory=set)


@contextlib.contextmanager
def noting_created() -> Iterator[Created]:
    """While it lasts, notes which layers, models and variables are created.

    What existed before has none of their ids: it was alive all the while.
    """
    created = Created()
    new, init = keras.Operation.__new__, Variable.__init__

    def new_operation(cls: type, *args: Any, **kwargs: Any) -> Any:
        operation = new(cls, *args, **kwargs)
        created.operations.add(id(operation))
        return operation

    def init_variable(self: Any, *args: Any, **kwargs: Any) -> None:
        created.variables.add(id(self))
        init(self, *args, **kwargs)

    with patched(
        (keras.Operation, "__new__", new_operation),
        (Variable, "__init__", init_variable),
    ):
        yield created


def _deferring_methods() -> list[tuple[type, str, Callable[..., Any]]]:
    assign_in_place = Variable._direct_assign
    convert = Variable._convert_to_tensor

    def convert_by_numpy(self: Any, value: Any, dtype: Any = None) -> Any:
        if isinstance(value, (bool, int, float)):
            # After each new seed TensorFlow's first operation takes a while.
            return np.asarray(value, dtype)
        return convert(self, value, dtype)

    def initialize(self: Any, value: Any) -> None:
        self._value = value() if callable(value) else value
        self._is_deferred = True

    def initialize_with_initializer(self: Any, initializer: Any) -> None:
        # One that asks for the layer is asked while that is at work.
        bind = getattr(initializer, "for_layer", lambda layer: initializer)
        self._value, self._initializer = None, bind(layer_at_work())
        self._is_deferred = True

    def initialize_later(self: Any) -> None:
        # Created in a symbolic call, which has noted the initializer.
        self._is_deferred = True

    def assign(self: Any, value: Any) -> None:
        if not hasattr(self, "_is_deferred"):
            # Of a layer from elsewhere, which models may share.
            assign_in_place(self, value)
            return
        self._value = ops.cast(value, self._dtype)
        # What it begins with is no longer what its initializer gives.
        self._initializer = None

    return [
        (Variable, "_initialize", initialize),
        (Variable, "_initialize_with_initializer", initialize_with_initializer),
        (Variable, "_deferred_initialize", initialize_later),
        (Variable, "_direct_assign", assign),
        (Variable, "_convert_to_tensor", convert_by_numpy),
    ]


def _set_untracked(owner: type) -> Callable[..., None]:
    """Returns what sets an attribute, and lets TensorFlow note nothing of it.

    Its notes are for files of its own, and take a third of the time of building
    a model without memory.
    """
    _, of_tensorflow, *_ = owner.__mro__

    def set_untracked(self: Any, name: str, value: Any) -> None:
        super(of_tensorflow, self).__setattr__(name, value)

    return set_untracked
