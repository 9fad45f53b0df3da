"""Takes the fingerprint of a search: of its space, its code and its data."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import inspect
import json
import re
import textwrap
import types
from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.tuning.results.fingerprint import Fingerprint

_FIT = inspect.signature(keras.Model.fit)
# What is said of the work, not of its result.
_WITHOUT_EFFECT = frozenset({"verbose", "workers", "max_queue_size"})
# Of larger arrays so many bytes are read, from all over them.
_MOST_BYTES = 2**28
# Kinds of numbers, and what they are compared as.
_CAST = {"f": "float32", "i": "int64", "u": "int64"}
_SIMPLE = (bool, int, float, complex, str, bytes, type(None))


def fingerprint_of(
    hypermodel: keras_tuner.HyperModel | None,
    objective: Any,
    hp: keras_tuner.HyperParameters,
    model: Any,
    args: tuple,
    kwargs: dict[str, Any],
) -> Fingerprint:
    """Returns what the scores of a search depend on.

    Args:
        hypermodel: What builds and fits the models, or None.
        objective: The oracle's objective, or a list of them.
        hp: The hyperparameters that the first model was built with.
        model: That model, or anything else if it cannot be built.
        args: The positional arguments of the search.
        kwargs: The others.
    """
    objectives = getattr(objective, "objectives", [objective])
    arguments = fit_arguments_by_name(args, kwargs)
    data = {n: v for n, v in arguments.items() if _is_data(v)}
    return Fingerprint(
        objective=", ".join(
            f"{o.name} ({o.direction})" for o in objectives if o is not None
        ),
        space={
            config["config"]["name"]: _plain(config["config"])
            for config in hp.get_config()["space"]
        },
        code=_code(hypermodel),
        model=_digest_of_model(model),
        fit={
            name: describe(value)
            for name, value in arguments.items()
            if name not in data and name not in _WITHOUT_EFFECT
        },
        data={
            f"{name}{place}": [what, digest]
            for name, value in data.items()
            for place, what, digest in _leaves(value)
        },
    )


def fit_arguments_by_name(
    args: tuple, kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Returns the arguments of the search by the names that `fit` has."""
    try:
        bound = _FIT.bind_partial(None, *args, **kwargs).arguments
    except TypeError:
        # A `HyperModel.fit` may take others.
        numbered = {f"argument {i}": a for i, a in enumerate(args, start=1)}
        return numbered | kwargs
    return {n: v for n, v in list(bound.items())[1:] if v is not None}


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    """Returns a config as it is read from a file."""
    return json.loads(json.dumps(config, default=str))


# Code


def _code(hypermodel: Any) -> dict[str, str]:
    """Returns a digest of each of the user's functions and classes."""
    if hypermodel is None:
        return {}
    found: dict[str, str] = {}
    build = hypermodel.build
    if hasattr(hypermodel, "hypermodel"):
        # One around the user's, as for cross-validation.
        found |= _code(hypermodel.hypermodel)
    elif isinstance(build, types.MethodType):
        _collect(type(hypermodel), found)
        found["the hypermodel's attributes"] = _digest(
            {n: describe(v) for n, v in sorted(vars(hypermodel).items())}
        )
    else:
        # keras-tuner makes a hypermodel of a function.
        _collect(build, found)
    return found


def _collect(thing: Any, found: dict[str, str]) -> None:
    """Adds a function or a class, and what it calls of its own module."""
    thing = inspect.unwrap(getattr(thing, "__func__", thing))
    name = getattr(thing, "__qualname__", None)
    if name is None or name in found:
        return
    found[name] = ""
    functions = (
        [f for f in vars(thing).values() if inspect.isfunction(f)]
        if inspect.isclass(thing)
        else [thing]
    )
    read: dict[str, Any] = {}
    for function in functions:
        if isinstance(function, types.FunctionType):
            read |= _values_read(function)
    mine = {n: v for n, v in read.items() if _is_code_of(v, thing)}
    values = {n: describe(v) for n, v in sorted(read.items()) if n not in mine}
    found[name] = _digest([_source(thing), values])
    for other in mine.values():
        _collect(other, found)


def _values_read(function: types.FunctionType) -> dict[str, Any]:
    """Returns what a function reads from around it: closure and globals."""
    code, around = function.__code__, function.__globals__
    read = {n: around[n] for n in _names(code) if n in around}
    for name, cell in zip(
        code.co_freevars, function.__closure__ or (), strict=True
    ):
        with contextlib.suppress(ValueError):  # It is not filled yet.
            read[name] = cell.cell_contents
    return read


def _names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def _is_code_of(value: Any, thing: Any) -> bool:
    return (inspect.isfunction(value) or inspect.isclass(value)) and getattr(
        value, "__module__", None
    ) == getattr(thing, "__module__", "")


def _source(thing: Any) -> str:
    """Returns source without comments and layout; else its compiled code."""
    try:
        source = textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError):
        code = getattr(thing, "__code__", None)
        return repr((code.co_code, code.co_names)) if code else repr(thing)
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:  # A lambda in the midst of a call.
        return source


def _digest_of_model(model: Any) -> str | None:
    if not isinstance(model, keras.Model):
        return None
    try:
        text = json.dumps(
            keras.saving.serialize_keras_object(model),
            default=describe,
            sort_keys=True,
        )
    except Exception:
        # It has no config.
        return None
    # Keras numbers the layers and objects of a process.
    text = re.sub(r'"shared_object_id": \d+|(?<=[a-z])_\d+(?=")', "", text)
    return _digest(text)


# Arguments


def describe(value: Any) -> str:
    """Returns a value in words that are the same in another process."""
    if isinstance(value, _SIMPLE):
        return str(value)
    if isinstance(value, (list, tuple, set)):
        return ", ".join(map(describe, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {describe(v)}" for k, v in value.items())
    if _is_array(value):
        return " ".join(_of_array(value))
    if inspect.isfunction(value) or inspect.isclass(value):
        return value.__qualname__
    if inspect.ismodule(value):
        return value.__name__
    # What it was made with; the rest may change as it is used.
    try:
        made_with = list(inspect.signature(type(value)).parameters)
    except ValueError:  # It is built in.
        made_with = []
    settings = {
        name: describe(getattr(value, name))
        for name in made_with
        if isinstance(getattr(value, name, value), _SIMPLE)
    }
    inside = ", ".join(f"{n}={v}" for n, v in sorted(settings.items()))
    return f"{type(value).__name__}({inside})"


def _is_data(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return _is_of_numbers(value) or any(map(_is_data, value))
    if isinstance(value, dict):
        return any(map(_is_data, value.values()))
    return _is_array(value) or (
        hasattr(value, "__iter__") and not isinstance(value, (str, bytes, set))
    )


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__") and hasattr(value, "shape")


def _is_of_numbers(value: Any) -> bool:
    """Whether it is a list of numbers, or of lists of them."""
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (bool, int, float, np.generic))


def _leaves(value: Any, place: str = ""):
    """Yields the place, a description and a digest of each array."""
    if isinstance(value, (list, tuple)) and not _is_of_numbers(value):
        for i, item in enumerate(value):
            yield from _leaves(item, f"{place}[{i}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{place}[{key!r}]")
    elif _is_array(value) or _is_of_numbers(value):
        yield place, *_of_array(value)
    else:
        yield place, _of_dataset(value), ""


def _of_array(value: Any) -> tuple[str, str]:
    array = np.asarray(value)
    if array.dtype.kind in _CAST:
        # As Keras takes them, whatever they are kept in.
        array = array.astype(_CAST[array.dtype.kind])
    what = f"{array.dtype} {array.shape}"
    if array.dtype.hasobject:
        return what, _digest(array.tolist())
    if array.nbytes > _MOST_BYTES:
        array = array[:: -(-array.nbytes // _MOST_BYTES)]
    return what, _digest(np.ascontiguousarray(array).tobytes())


def _of_dataset(value: Any) -> str:
    """What can be known of a dataset that is not gone through."""
    spec = getattr(value, "element_spec", "")
    size = getattr(value, "num_batches", None)
    if size is None:
        try:
            size = len(value)
        except TypeError:
            size = "?"
    return f"{type(value).__name__} of {size} {spec}".strip()


def _digest(value: Any) -> str:
    content = value if isinstance(value, bytes) else repr(value).encode()
    return hashlib.blake2b(content, digest_size=16).hexdigest()
