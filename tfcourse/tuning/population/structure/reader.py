"""The structure of models and of their parts, as nested tuples."""

import collections
import functools
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.population.structure.attributes import (
    attributes_of_bases,
    settings_of_bases,
)
from tfcourse.tuning.population.structure.values import (
    Same,
    array_structure,
    is_library,
    plain_member,
    values_of_module,
)
from tfcourse.utils.keras_private import first_of_sequential

# Nested tuples, hashable.
Structure = tuple[Any, ...]

_LOCK = type(threading.Lock())
# How TensorFlow names what it attaches to objects that it tracks.
_OF_TRACKING = "_self_"
_OF_ANY_CLASS = frozenset(
    {
        "__abstractmethods__",
        "__annotations__",
        "__dict__",
        "__doc__",
        "__module__",
        "__qualname__",
        "__slots__",
        "__weakref__",
        "_abc_impl",
    }
)


class StructureReader:
    """Turns objects into nested tuples; each object once, then by number."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        # Objects made on the way, kept so that their ids stay theirs.
        self._alive: list[Any] = []

    def read(self, value: Any) -> Structure:
        """Returns the structure of a value."""
        if value is None or isinstance(value, (bool, str, bytes, int)):
            return (type(value).__name__, value)
        if isinstance(value, (float, complex)):
            return (type(value).__name__, repr(value))
        if isinstance(value, (np.ndarray, np.generic)):
            return array_structure(value)
        if isinstance(value, keras.KerasTensor):
            return ("tensor", tuple(value.shape), str(value.dtype))
        if isinstance(value, keras.Variable):
            return self._once(value, lambda: _variable(value))
        if isinstance(value, dict):
            items = sorted(
                ((_key(k), v) for k, v in value.items()),
                key=lambda item: item[0],
            )
            return ("dict", tuple((k, self.read(v)) for k, v in items))
        if isinstance(value, (list, tuple)):
            return ("list", tuple(self.read(item) for item in value))
        if isinstance(value, (set, frozenset)):
            return ("set", tuple(sorted(map(str, map(self.read, value)))))
        if isinstance(value, keras.initializers.Initializer):
            return ("initializer",)
        if isinstance(value, type):
            members = () if is_library(value.__module__) else value
            if members:
                members = self._once(value, lambda: self._class(value))
            return ("class", _identity(value), members)
        if isinstance(value, keras.Model):
            return self._once(value, lambda: self.model(value))
        if isinstance(value, functools.partial):
            parts = value.func, list(value.args), value.keywords
            return ("partial", self.read(list(parts)))
        if isinstance(value, types.MethodType):
            parts = [value.__func__, value.__self__]
            return ("method", self.read(parts))
        if isinstance(value, types.FunctionType):
            return self._once(value, lambda: self._function(value))
        if isinstance(value, types.ModuleType):
            return ("module", value.__name__)
        if hasattr(value, "__array__"):
            return self._tensor(value)
        if callable(value) and not hasattr(value, "__dict__"):
            return ("builtin", getattr(value, "__qualname__", repr(value)))
        return self._once(value, lambda: self._object(value))

    def model(self, model: Any) -> Structure:
        """A model: its layers, how they are connected, and its attributes."""
        parts = ()
        if isinstance(model, keras.Sequential):
            inputs = model.input_shape if model.built else _declared(model)
            parts = (*self._layers(model.layers), ("input", self.read(inputs)))
        elif hasattr(model, "input_layers") or _is_functional(model):
            wires = ("connections", self._connections(model))
            # Not only layers: `a + b` is an operation.
            parts = (*self._layers(model.operations), wires)
        return (*parts, ("attributes", self._object(model)))

    def _layers(self, layers: list[Any]) -> tuple[tuple[str, Any], ...]:
        return tuple(
            (f"layer {i} ({type(layer).__name__})", self.read(layer))
            for i, layer in enumerate(layers)
        )

    def _connections(self, model: keras.Model) -> Structure:
        try:
            config = model.get_config()
        except Exception:
            # Without a config, how it is wired is not known: like no other.
            self._alive.append(model)
            return ("unknown", id(model))
        names = {
            layer["name"]: f"layer {i}"
            for i, layer in enumerate(config["layers"])
        }

        def rename(value: Any) -> Any:
            if isinstance(value, str):
                return names.get(value, value)
            if isinstance(value, (list, tuple)):
                return [rename(item) for item in value]
            if isinstance(value, dict):
                return {k: rename(v) for k, v in value.items()}
            return value

        wires = [rename(layer["inbound_nodes"]) for layer in config["layers"]]
        ends = rename([config["input_layers"], config["output_layers"]])
        return self.read([wires, ends])

    def _once(self, value: Any, describe: Callable[[], Structure]) -> Structure:
        if id(value) in self._numbers:
            return ("again", self._numbers[id(value)])
        self._numbers[id(value)] = len(self._numbers)
        self._alive.append(value)
        return describe()

    def _tensor(self, value: Any) -> Structure:
        try:
            return array_structure(np.asarray(value))
        except Exception:
            # One of a graph has no value yet: it is like no other.
            return ("tensor", Same(value))

    def _globals(self, function: types.FunctionType) -> Structure:
        """What the code of a user's function reads when it runs."""
        if is_library(function.__module__):
            return ()
        names = {n for part in _codes(function.__code__) for n in part.co_names}
        found = {
            name: function.__globals__[name]
            for name in names & function.__globals__.keys()
        }
        for module in list(found.values()):
            if isinstance(module, types.ModuleType):
                found |= values_of_module(module, names)
        return tuple((name, self.read(found[name])) for name in sorted(found))

    def _class(self, cls: type) -> Structure:
        """What users' classes do, and what their attributes are."""
        return tuple(
            (f"{base.__qualname__}.{name}", self.read(plain_member(value)))
            for base in cls.__mro__
            if not is_library(base.__module__)
            for name, value in sorted(vars(base).items())
            if name not in _OF_ANY_CLASS
        )

    def _function(self, function: types.FunctionType) -> Structure:
        code = function.__code__
        closure = [cell.cell_contents for cell in function.__closure__ or ()]
        constants = [
            c
            for part in _codes(code)
            for c in part.co_consts
            if not isinstance(c, types.CodeType)
        ]
        return (
            ("name", function.__qualname__),
            ("code", tuple(part.co_code for part in _codes(code))),
            ("globals", tuple(part.co_names for part in _codes(code))),
            ("constants", self.read(constants)),
            (
                "defaults",
                self.read([function.__defaults__, function.__kwdefaults__]),
            ),
            ("closure", self.read(closure)),
            ("values", self._globals(function)),
        )

    def _object(self, value: Any) -> Structure:
        """An object: its class and its attributes."""
        skip = attributes_of_bases(type(value))
        attributes = getattr(value, "__dict__", None)
        if attributes is None:
            return (_identity(type(value)), self._without_dict(value))
        # Keras tracks lists and dicts by wrappers of their own.
        found = {
            name: attribute
            for name, attribute in attributes.items()
            if name not in skip
            and not name.startswith(_OF_TRACKING)
            and not isinstance(attribute, _LOCK)
        }
        if "seed_generator" in found:
            # It is in the state of the generator, which is a variable.
            found.pop("seed", None)
        found |= {
            name: getattr(value, name) for name in settings_of_bases(value)
        }
        described = tuple(
            (name, self.read(found[name])) for name in sorted(found)
        )
        return (("class", self.read(type(value))), *described)

    def _without_dict(self, value: Any) -> Structure:
        """An object of slots, a container, or what only is itself."""
        slots = [
            name
            for base in type(value).__mro__
            for name in np.atleast_1d(vars(base).get("__slots__", ()))
            if hasattr(value, name)
        ]
        if slots:
            own = [(n, self.read(getattr(value, n))) for n in slots]
            return (("class", self.read(type(value))), *own)
        if isinstance(value, collections.deque):
            return self.read(list(value))
        if " at 0x" in repr(value):
            return ("object", Same(value))
        return ("text", repr(value))


def _declared(model: keras.Sequential) -> Any:
    """Returns the input shape of a `keras.Sequential` that is not built."""
    return getattr(first_of_sequential(model), "batch_shape", None)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yields the code of a function and of those defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _variable(variable: Any) -> Structure:
    return (
        "variable",
        tuple(variable.shape),
        str(variable.dtype),
        bool(variable.trainable),
    )


def _key(key: Any) -> str:
    return key if isinstance(key, str) else repr(key)


def _identity(cls: type) -> tuple[str, str, "Same"]:
    # A class made anew in each call of `build` is another class each time:
    # what its methods do may depend on the call.
    return (cls.__module__, cls.__qualname__, Same(cls))


def _is_functional(model: Any) -> bool:
    return type(model).__name__ == "Functional" or hasattr(model, "_functional")
