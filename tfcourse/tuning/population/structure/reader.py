"""The structure of models and of their parts, as nested tuples."""

import collections
import contextlib
import functools
import logging
import threading
import types
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.structure.attributes import (
    NAMES,
    attributes_of_bases,
    settings_of_bases,
)
from tfcourse.tuning.population.structure.code import (
    codes,
    globals_read,
    hidden_reads,
    module_of_code,
    names_of,
)
from tfcourse.tuning.population.structure.values import (
    Same,
    array_structure,
    builtin_content,
    hides_state,
    is_library,
    plain_member,
    plain_value,
)
from tfcourse.utils.keras_private import (
    first_of_sequential,
    is_plain_functional,
)

# Nested tuples, hashable.
Structure = tuple[Any, ...]

_LOCK = type(threading.Lock()), type(threading.RLock())
# How TensorFlow names what it attaches to objects that it tracks.
_OF_TRACKING = "_self_"
_BUILTIN = dict, list, tuple, set, frozenset, types.MappingProxyType
_OF_ANY_CLASS = frozenset(
    {
        "__abstractmethods__",
        "__annotations__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__dict__",
        "__doc__",
        "__module__",
        "__orig_bases__",
        "__parameters__",
        "__qualname__",
        "__slots__",
        "__weakref__",
        "_abc_impl",
    }
)
# Which say nothing else than the rest, whatever the class.
_OF_PYTHON = frozenset(
    {"__dict__", "__module__", "__qualname__", "__weakref__", "_abc_impl"}
)
# Methods that no program of a training calls.
_NOT_IN_TRAINING = frozenset(
    {
        *("export", "from_config", "get_config", "load_assets"),
        *("load_own_variables", "load_weights", "save", "save_assets"),
        *("save_own_variables", "save_weights", "summary"),
    }
)
# More is no part of a model, but a program of its own.
_MOST_OBJECTS = 50_000

# How the layers of models are connected.
_connections: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


class StructureReader:
    """Turns objects into nested tuples; each object once, then by number.

    Args:
        own: The ids of the variables that are each member's own: their shapes
            count, but not their values.
        settings: A `SettingsReader`, which leaves out what members of one
            structure may differ in, or None.
    """

    def __init__(
        self, own: Collection[int] = frozenset(), settings: Any = None
    ) -> None:
        self._own = own
        self._settings = settings
        self._depth_in_users_code = 0
        self._numbers: dict[int, int] = {}
        # Objects made on the way, kept so that their ids stay theirs.
        self._alive: list[Any] = []
        # The names in users' code, and what in it cannot be known.
        self.names: set[str] = set()
        self._hidden: list[tuple[types.FunctionType, type | None, str]] = []
        self._owners: dict[int, type] = {}
        self.initializers: list[keras.initializers.Initializer] = []

    def read(self, value: Any) -> Structure:
        """Returns the structure of a value."""
        plain = plain_value(value)
        if plain is not None:
            return plain
        if isinstance(value, keras.KerasTensor):
            return ("tensor", tuple(value.shape), str(value.dtype))
        if isinstance(value, keras.Variable):
            return self._once(value, lambda: self._variable(value))
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return self._container(value)
        if type(value) is collections.deque:
            return ("deque", value.maxlen, self._container(list(value)))
        if isinstance(value, keras.initializers.Initializer):
            # Each member draws from its own.
            self.initializers.append(value)
            if is_library(type(value).__module__):
                return ("initializer",)
            return ("initializer", self.read(type(value)))
        if isinstance(value, type):
            return self._type(value)
        if isinstance(value, keras.Model):
            return self._once(value, lambda: self.model(value))
        if isinstance(value, logging.Logger):
            return ("logger", value.name)
        return self._of_code(value)

    def check_known(self) -> None:
        """Raises `CannotVectorize` if users' code reads what nobody knows."""
        for function, owner, what in self._hidden:
            if self._may_run(function, owner):
                raise CannotVectorize(
                    f"the code of `{function.__qualname__}` uses `{what}`, "
                    "which may give each trial a different value"
                )

    def _may_run(
        self, function: types.FunctionType, owner: type | None
    ) -> bool:
        name = function.__name__
        if owner is None:
            return True
        if issubclass(owner, keras_tuner.HyperModel) and name in vars(
            keras_tuner.HyperModel
        ):
            return False
        if name in ("__init__", "__new__", "__post_init__"):
            return owner.__name__ in self.names
        if name in _NOT_IN_TRAINING:
            return False
        return (
            name in self.names
            or name.startswith("__")
            or any(hasattr(base, name) for base in owner.__mro__[1:])
        )

    def _of_code(self, value: Any) -> Structure:
        """Functions and what is made of them; else an object."""
        if isinstance(value, functools.partial):
            parts = value.func, list(value.args), value.keywords
            return ("partial", self.read(list(parts)))
        if isinstance(value, types.MethodType):
            parts = [value.__func__, value.__self__]
            return ("method", self.read(parts))
        if isinstance(value, types.FunctionType):
            with self._code_of(module_of_code(value)):
                return self._once(value, lambda: self._function(value))
        if isinstance(value, types.ModuleType):
            return ("module", value.__name__)
        if isinstance(value, types.BuiltinFunctionType):
            holder = value.__self__
            if isinstance(holder, (types.ModuleType, type(None), type)):
                return ("builtin", value.__module__, value.__qualname__)
            return ("builtin", value.__name__, self.read(holder))
        if hasattr(value, "get_concrete_function"):
            # What it has traced, it goes on using.
            raise _unreadable(value)
        if isinstance(value, weakref.ref):
            return ("weakref", self.read(value()))
        if hasattr(type(value), "__array__") and is_library(
            type(value).__module__
        ):
            return self._tensor(value)
        with self._code_of(type(value).__module__):
            return self._once(value, lambda: self._object(value))

    @contextlib.contextmanager
    def _code_of(self, module: str | None) -> Iterator[None]:
        """While it lasts, all that is found is what such code may look at."""
        is_users = not is_library(module)
        self._depth_in_users_code += is_users
        try:
            yield
        finally:
            self._depth_in_users_code -= is_users

    def has_read(self, value: Any) -> bool:
        """Whether an object was part of what was read."""
        return id(value) in self._numbers

    def _container(self, value: Any) -> Structure:
        """The items of a container; of a class of the user's also the rest."""
        if isinstance(value, Mapping):
            items = tuple(
                (k if type(k) is str else str(self.read(k)), self.read(v))
                for k, v in value.items()
            )
            content: Structure = ("dict", items)
            factory = getattr(value, "default_factory", None)
            if factory is not None:
                content = (*content, self.read(factory))
        elif isinstance(value, (set, frozenset)):
            content = ("set", tuple(sorted(map(str, map(self.read, value)))))
        else:
            kind = "tuple" if isinstance(value, tuple) else "list"
            content = (kind, tuple(self.read(item) for item in value))
        if is_library(type(value).__module__) or type(value) in _BUILTIN:
            return content
        with self._code_of(type(value).__module__):
            rest = self._once(value, lambda: self._object(value))
        return (*content, rest)

    def _type(self, value: type) -> Structure:
        members = () if is_library(value.__module__) else value
        if members:
            with self._code_of(value.__module__):
                members = self._once(value, lambda: self._class(value))
        return ("class", _identity(value), members)

    def model(self, model: Any) -> Structure:
        """A model: its layers, how they are connected, and its attributes."""
        with self._code_of(type(model).__module__):
            return self._model(model)

    def _model(self, model: Any) -> Structure:
        parts = ()
        if self._settings is not None:
            self._settings.begin(model)
        if isinstance(model, keras.Sequential):
            inputs = model.input_shape if model.built else _declared(model)
            chain = model.layers
            if self._settings is not None:
                chain = self._settings.chain(model)
            parts = (*self._layers(chain), ("input", self.read(inputs)))
        elif hasattr(model, "input_layers") or _is_functional(model):
            wires = ("connections", self._connections(model))
            # Not only layers: `a + b` is an operation.
            parts = (*self._layers(model.operations), wires)
        return (*parts, ("attributes", self._object(model)))

    def _layers(self, layers: list[Any]) -> tuple[tuple[str, Any], ...]:
        read = [self.read(layer) for layer in layers]
        return tuple(
            (f"layer {i} ({_name_of_class(part, layer)})", part)
            for i, (part, layer) in enumerate(zip(read, layers, strict=True))
        )

    def _connections(self, model: keras.Model) -> Structure:
        if not is_plain_functional(model):
            return self._read_connections(model)
        # They never change, and those of a large model take a while.
        if model not in _connections:
            _connections[model] = self._read_connections(model)
        return _connections[model]

    def _read_connections(self, model: keras.Model) -> Structure:
        try:
            config = model.get_config()
        except Exception as error:
            raise CannotVectorize(
                "it has no config, which would say how its layers are connected"
            ) from error
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
            if self._settings is not None and self._depth_in_users_code:
                self._settings.expose(value)
            return ("again", self._numbers[id(value)])
        if len(self._numbers) >= _MOST_OBJECTS:
            raise CannotVectorize("it holds too many objects to compare")
        self._numbers[id(value)] = len(self._numbers)
        self._alive.append(value)
        return describe()

    def _tensor(self, value: Any) -> Structure:
        try:
            array = np.asarray(value)
        except Exception as error:
            raise _unreadable(value) from error
        return array_structure(array)

    def _variable(self, variable: Any) -> Structure:
        described = (
            "variable",
            tuple(variable.shape),
            str(variable.dtype),
            bool(variable.trainable),
        )
        if id(variable) in self._own:
            return described
        # Nobody gives each member its own: what computes reads this one.
        value: Any = keras.ops.convert_to_numpy(variable.value)
        return (*described, array_structure(value))

    def _class(self, cls: type) -> Structure:
        """What users' classes do, and what their attributes are."""
        found: list[tuple[str, Any]] = []
        for base in (*cls.__mro__, type(cls)):
            found.append(("base", _identity(base)))
            if is_library(base.__module__):
                continue
            # Anything may be said of one that is made anew.
            local = _is_local(base)
            for name, value in sorted(vars(base).items()):
                if name in (_OF_PYTHON if local else _OF_ANY_CLASS):
                    continue
                value = plain_member(value)
                for function in value if isinstance(value, list) else [value]:
                    self._owners.setdefault(id(function), base)
                found.append((f"{base.__qualname__}.{name}", self.read(value)))
        return tuple(found)

    def _read_by(self, function: types.FunctionType) -> dict[str, Any]:
        """Returns what the code of a user's function reads, by name."""
        if is_library(module_of_code(function)):
            return {}
        self.names |= names_of(function.__code__)
        found = globals_read(function)
        owner = self._owners.get(id(function))
        self._hidden += [
            (function, owner, what) for what in hidden_reads(function, found)
        ]
        return found

    def _function(self, function: types.FunctionType) -> Structure:
        found = self._read_by(function)
        code = function.__code__
        constants = [
            c
            for part in codes(code)
            for c in part.co_consts
            if not isinstance(c, types.CodeType)
        ]
        return (
            ("name", function.__qualname__),
            ("code", tuple(part.co_code for part in codes(code))),
            ("globals", tuple(part.co_names for part in codes(code))),
            ("constants", self.read(constants)),
            (
                "defaults",
                self.read([function.__defaults__, function.__kwdefaults__]),
            ),
            ("closure", tuple(map(self._cell, function.__closure__ or ()))),
            (
                "values",
                tuple((name, self.read(found[name])) for name in sorted(found)),
            ),
            ("attributes", self._attributes_of_function(function)),
        )

    def _cell(self, cell: Any) -> Structure:
        try:
            content = cell.cell_contents
        except ValueError:
            return ("empty",)
        return self.read(content)

    def _attributes_of_function(
        self, function: types.FunctionType
    ) -> Structure:
        if is_library(module_of_code(function)):
            return ()
        return self.read(vars(function))

    def _object(self, value: Any) -> Structure:
        """An object: its class and its attributes."""
        kind = type(value)
        content = builtin_content(value)
        if not content and hides_state(kind) and not _is_container(value):
            raise _unreadable(value)
        skip = attributes_of_bases(kind)
        users = not is_library(kind.__module__)
        if users and not _is_named_by_keras(value):
            skip -= NAMES
        # Keras tracks lists and dicts by wrappers of their own.
        found = {
            name: attribute
            for name, attribute in _attributes(value).items()
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
        if self._settings is not None and not self._depth_in_users_code:
            kind, found = self._settings.take(value, found)
        described = tuple(
            (name, self.read(found[name])) for name in sorted(found)
        )
        if users:
            described += self._initializers(found)
        return (("class", (*self.read(kind), *content)), *described)

    def _initializers(self, found: dict[str, Any]) -> Structure:
        """What users' code may draw from at any time, not only at first."""
        return tuple(
            (name, self.read(_settings_of(value)))
            for name, value in sorted(found.items())
            if isinstance(value, keras.initializers.Initializer)
        )


def _name_of_class(part: Structure, layer: Any) -> str:
    """Returns the name of a layer's class, which settings may have changed."""
    if part and isinstance(part[0], tuple) and part[0][0] == "class":
        return part[0][1][1][1]
    return type(layer).__name__


def _attributes(value: Any) -> dict[str, Any]:
    """Returns the attributes of an object, those in slots included."""
    found = dict(getattr(value, "__dict__", {}))
    for base in type(value).__mro__:
        for name in np.atleast_1d(vars(base).get("__slots__", ())):
            mangled = name
            if name.startswith("__") and not name.endswith("__"):
                mangled = f"_{base.__name__.lstrip('_')}{name}"
            if hasattr(value, mangled):
                found[mangled] = getattr(value, mangled)
    return found


def _settings_of(initializer: keras.initializers.Initializer) -> dict:
    """Returns its settings, without a seed that it has drawn for itself."""
    settings = dict(vars(initializer))
    if "_init_seed" in settings:
        settings.pop("seed", None)
    return settings


def _is_named_by_keras(value: Any) -> bool:
    """Whether a name is one that Keras numbers, and that others may have."""
    named = keras.Operation, keras.Variable, keras.metrics.Metric
    kinds = keras.optimizers.Optimizer, keras.losses.Loss
    return isinstance(value, (*named, *kinds))


def _is_container(value: Any) -> bool:
    return isinstance(value, (dict, list, tuple, set, frozenset))


def _unreadable(value: Any) -> CannotVectorize:
    kind = type(value)
    return CannotVectorize(
        f"it holds a `{kind.__module__}.{kind.__qualname__}`, whose state "
        "cannot be read"
    )


def _declared(model: keras.Sequential) -> Any:
    """Returns the input shape of a `keras.Sequential` that is not built."""
    return getattr(first_of_sequential(model), "batch_shape", None)


def _identity(cls: type) -> tuple[Any, ...]:
    # One that is made anew in each call of a function is what it was made of.
    one = () if _is_local(cls) else (Same(cls),)
    return (cls.__module__, cls.__qualname__, *one)


def _is_local(cls: type) -> bool:
    """Whether a class is defined in a function, which may make several."""
    return "<locals>" in cls.__qualname__


def _is_functional(model: Any) -> bool:
    return type(model).__name__ == "Functional" or hasattr(model, "_functional")
