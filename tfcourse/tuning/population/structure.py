"""What two models must share to be trained as one program."""

import functools
import threading
import types

import keras
import numpy as np

# Names and seeds differ from model to model, and do not enter the graph.
_IGNORED = frozenset({"name", "_name", "_init_seed", "_initial_seed"})


def structure(model):
    """Returns what determines the program that trains a model.

    Two models of equal structure differ in nothing but the values of their
    variables and how these are initialised: the same layers, connected alike,
    with the same settings; optimizer, loss and metrics alike. Names that Keras
    gives by itself do not count, nor do values that live in variables: the
    learning rate of an optimizer, the hyperparameters of tfcourse's classes.

    What is not understood counts as different, so that models may be kept
    apart for nothing, but are not put together wrongly.

    Args:
        model: A compiled `keras.Model`, built or not.

    Returns:
        Nested tuples, which are hashable: models of one structure give equal
        ones.
    """
    reader = StructureReader()
    return (("model", reader.model(model)), *compile_structure(model, reader))


def compile_structure(model, reader=None):
    """Returns the part of `structure` that `model.compile` was given."""
    reader = reader or StructureReader()
    return (
        ("optimizer", reader.read(model.optimizer)),
        ("loss", reader.read(_argument(model, "loss"))),
        ("loss_weights", reader.read(_argument(model, "loss_weights"))),
        ("metrics", reader.read(_argument(model, "metrics"))),
        (
            "weighted_metrics",
            reader.read(_argument(model, "weighted_metrics")),
        ),
        ("run_eagerly", bool(model.run_eagerly)),
    )


def first_difference(a, b):
    """Returns where the structures of two models first differ, or None.

    The answer is a phrase such as `"model, layer 1 (Dense), units: 3 and 4"`.
    """
    return _difference(structure(a), structure(b), [])


def _difference(a, b, path):
    if a == b:
        return None
    named = _is_named(a) and _is_named(b)
    if named and [n for n, _ in a] == [n for n, _ in b]:
        for (name, one), (_, other) in zip(a, b, strict=True):
            if one != other:
                return _difference(one, other, [*path, name])
    if named:
        one, other = ([n for n, _ in x] for x in (a, b))
        only = [n for n in one if n not in other] or [
            n for n in other if n not in one
        ]
        if only:
            return f"{', '.join(path)}: only one has {only[0]}"
    both_tuples = isinstance(a, tuple) and isinstance(b, tuple)
    if both_tuples and len(a) == len(b) > 0 and not named:
        for one, other in zip(a, b, strict=True):
            if one != other:
                return _difference(one, other, path)
    return f"{', '.join(path)}: {_show(a)} and {_show(b)}"


def _is_named(value):
    return (
        isinstance(value, tuple)
        and len(value) > 0
        and all(
            isinstance(item, tuple)
            and len(item) == 2
            and isinstance(item[0], str)
            for item in value
        )
    )


def _show(value):
    if isinstance(value, tuple) and len(value) == 2 and value[0] == "float":
        value = value[1]
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _argument(model, name):
    """Returns what `compile` was given."""
    config = getattr(model, "_compile_config", None)
    given = config.config if config is not None else {}
    return given.get(name)


class StructureReader:
    """Turns objects into nested tuples; each object once, then by number."""

    def __init__(self):
        self._numbers = {}
        # Objects made on the way, kept so that their ids stay theirs.
        self._alive = []

    def read(self, value):
        if value is None or isinstance(value, (bool, str, bytes, int)):
            return (type(value).__name__, value)
        if isinstance(value, (float, complex)):
            return (type(value).__name__, repr(value))
        if isinstance(value, (np.ndarray, np.generic)):
            return ("array", str(value.dtype), value.shape, value.tobytes())
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
            return ("class", _identity(value))
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
        if callable(value) and not hasattr(value, "__dict__"):
            return ("builtin", getattr(value, "__qualname__", repr(value)))
        return self._once(value, lambda: self._object(value))

    def model(self, model):
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

    def _layers(self, layers):
        return tuple(
            (f"layer {i} ({type(layer).__name__})", self.read(layer))
            for i, layer in enumerate(layers)
        )

    def _connections(self, model):
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

        def rename(value):
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

    def _once(self, value, describe):
        if id(value) in self._numbers:
            return ("again", self._numbers[id(value)])
        self._numbers[id(value)] = len(self._numbers)
        self._alive.append(value)
        return describe()

    def _function(self, function):
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
        )

    def _object(self, value):
        """An object: its class and its attributes."""
        skip = _skipped(type(value))
        attributes = getattr(value, "__dict__", None)
        if attributes is None:
            return (_identity(type(value)), repr(value))
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
        found |= {name: getattr(value, name) for name in _asked(value)}
        described = tuple(
            (name, self.read(found[name])) for name in sorted(found)
        )
        return (("class", _identity(type(value))), *described)


_LOCK = type(threading.Lock())
# How TensorFlow names what it attaches to objects that it tracks.
_OF_TRACKING = "_self_"


@functools.cache
def _skipped(cls):
    """Attributes of Keras's base classes, which say nothing of a subclass."""
    for base, names in _base_attributes():
        if issubclass(cls, base):
            return names
    return _IGNORED


@functools.cache
def _base_attributes():
    class Layer(keras.layers.Layer):
        def call(self, x):
            return x

    class Model(keras.Model):
        def call(self, x):
            return x

    def names(*things):
        return _IGNORED.union(*(vars(thing) for thing in things))

    x = keras.Input((1,))
    layer, model = Layer(), Model()
    functional = keras.Model(x, layer(x))
    sequential = keras.Sequential([keras.Input((1,)), Layer()])
    models = [model, functional, sequential]
    for any_model in models:
        any_model.compile(keras.optimizers.SGD(), "mse")
    optimizer = keras.optimizers.Optimizer(0.1)
    optimizer.build([])
    return [
        (keras.Model, names(layer, *models)),
        (keras.layers.Layer, names(layer)),
        (keras.Operation, names(layer)),
        (keras.optimizers.Optimizer, names(optimizer)),
        (keras.metrics.Metric, names(keras.metrics.Metric())),
    ]


def _asked(value):
    """Settings of the base classes that do count."""
    if isinstance(value, keras.layers.Layer):
        return [
            "trainable",
            "dtype_policy",
            "activity_regularizer",
            "supports_masking",
            "autocast",
        ]
    if isinstance(value, keras.optimizers.Optimizer):
        return [
            name
            for name in (
                "weight_decay",
                "clipnorm",
                "global_clipnorm",
                "clipvalue",
                "use_ema",
                "ema_momentum",
                "ema_overwrite_frequency",
                "loss_scale_factor",
                "gradient_accumulation_steps",
                "_learning_rate",
                "_exclude_from_weight_decay_pattern",
            )
            if hasattr(value, name)
        ]
    return []


def _declared(model):
    """Returns the input shape of a `keras.Sequential` that is not built."""
    # `layers` leaves it out.
    first = (model._layers or [None])[0]
    return getattr(first, "batch_shape", None)


def _codes(code):
    """Yields the code of a function and of those defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _variable(variable):
    return (
        "variable",
        tuple(variable.shape),
        str(variable.dtype),
        bool(variable.trainable),
    )


def _key(key):
    return key if isinstance(key, str) else repr(key)


def _identity(cls):
    # A class made anew in each call of `build` is another class each time:
    # what its methods do may depend on the call.
    return (cls.__module__, cls.__qualname__, id(cls))


def _is_functional(model):
    return type(model).__name__ == "Functional" or hasattr(model, "_functional")
