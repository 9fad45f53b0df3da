"""What the code of a user's callback does, as far as it can be known.

The members of a population are trained side by side, so that what a callback
shares with those of other trials (a file, a list, a generator of random
numbers) would be used in another order than alone. Only what uses nothing but
itself, its model and its logs is run on members.
"""

import builtins
import dis
import inspect
import math
import types
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

_MODULES = ("math", "numpy", "keras", "keras.ops", "keras.backend", "time")
_BUILTINS = """
abs all any bool dict enumerate float format getattr hasattr int isinstance len
list map max min print range reversed round set sorted str sum super tuple zip
True False None AttributeError KeyError RuntimeError TypeError ValueError
"""
# Of containers and strings; of models, optimizers and callbacks; of Keras and
# NumPy what computes.
_ATTRIBUTES = """
append clear copy count endswith extend format get index insert items join keys
lower pop remove reverse setdefault sort split startswith strip update upper
values
model params optimizer iterations learning_rate assign numpy value stop_training
get_weights set_weights layers get_layer weights variables name
trainable_weights trainable_variables non_trainable_weights
non_trainable_variables count_params built shape dtype size predict evaluate
metrics metrics_names Callback callbacks on_train_begin on_train_end
on_epoch_begin on_epoch_end __init__ set_params set_model
backend ops get_value set_value convert_to_numpy convert_to_tensor cast
float16 float32 float64 int32 int64 bool_ inf nan pi e
asarray array abs absolute add all any arange argmax argmin argsort astype
average ceil clip concatenate cos cosh diff divide dot equal exp expm1 fabs
flatten floor fmax fmin full full_like greater greater_equal isclose isfinite
isinf isnan item less less_equal linalg linspace log log10 log1p log2 max
maximum mean median min minimum multiply nanmax nanmean nanmin negative norm
not_equal ones ones_like percentile polyfit power prod quantile ravel reshape
round sign sin sinh sqrt square squeeze stack std subtract sum take tan tanh
tolist transpose trunc var where zeros zeros_like
time monotonic perf_counter
"""
_KNOWN_BUILTINS = frozenset(_BUILTINS.split())
_KNOWN_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)
_STORES = {"STORE_GLOBAL", "DELETE_GLOBAL", "IMPORT_NAME"}


def why_it_is_not_known(callback: keras.callbacks.Callback) -> str | None:
    """Returns what a callback uses that may be another's, too, or None.

    Args:
        callback: A callback of a class of the user's, or one of Keras's with
            functions of the user's.
    """
    for name, value in vars(callback).items():
        if name != "_model" and not _is_own(value):
            return f"holds a {type(value).__name__}, `{name}`"
    seen: set[int] = set()
    names = set(dir(type(callback))) | vars(callback).keys()
    functions = list(_functions(callback))
    for function in functions:
        names |= _attributes_set_by(getattr(function, "__code__", None))
    for function in functions:
        why = _why_not(function, names, seen)
        if why:
            return why
    return None


def _functions(callback: Any) -> Iterator[Any]:
    """Yields the functions that are the user's, of classes and instance."""
    for owner in type(callback).__mro__:
        if owner.__module__.split(".")[0] in ("keras", "builtins"):
            continue
        for name, value in vars(owner).items():
            value = inspect.unwrap(getattr(value, "fget", value))
            if isinstance(value, (staticmethod, classmethod)):
                value = value.__func__
            if isinstance(value, types.FunctionType):
                yield value
            elif name.strip("_") == name and not _is_constant(value):
                # One for the callbacks of all trials.
                yield value
    for value in keras.tree.flatten(vars(callback)):
        if isinstance(value, types.FunctionType):
            yield value


def _attributes_set_by(code: types.CodeType | None) -> set[str]:
    if code is None:
        return set()
    found = {
        step.argval
        for step in dis.get_instructions(code)
        if step.opname == "STORE_ATTR"
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _attributes_set_by(constant)
    return found


def _why_not(function: Any, own: set[str], seen: set[int]) -> str | None:
    if not isinstance(function, types.FunctionType):
        return f"has a {type(function).__name__} that its class holds"
    if id(function) in seen or _is_kerass(function):
        return None
    seen.add(id(function))
    code = function.__code__
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        why = None if name == "__class__" else _of_value(name, cell, own, seen)
        if why:
            return why
    for value in (function.__defaults__ or ()) + tuple(
        (function.__kwdefaults__ or {}).values()
    ):
        if not _is_constant(value):
            return f"has a {type(value).__name__} as a default"
    return _of_code(code, function.__globals__, own, seen)


def _of_code(
    code: types.CodeType, names: dict[str, Any], own: set[str], seen: set[int]
) -> str | None:
    for step in dis.get_instructions(code):
        name = step.argval
        if step.opname in _STORES:
            return f"sets or imports `{name}`"
        if step.opname == "STORE_DEREF" and name in code.co_freevars:
            return f"sets `{name}`"
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            why = _of_global(name, names, own, seen)
            if why:
                return why
        known = name in _KNOWN_ATTRIBUTES or name in own
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and not known:
            return f"uses `{name}`"
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            why = _of_code(constant, names, own, seen)
            if why:
                return why
    return None


def _of_global(
    name: str, names: dict[str, Any], own: set[str], seen: set[int]
) -> str | None:
    if name not in names:
        known = name in _KNOWN_BUILTINS or not hasattr(builtins, name)
        return None if known else f"uses `{name}`"
    return _of_value(name, types.CellType(names[name]), own, seen)


def _of_value(
    name: str, cell: types.CellType, own: set[str], seen: set[int]
) -> str | None:
    try:
        value = cell.cell_contents
    except ValueError:
        return f"uses `{name}`"
    if isinstance(value, types.ModuleType):
        known = value.__name__ in _MODULES
        return None if known else f"uses the module {value.__name__}"
    if isinstance(value, types.FunctionType):
        return _why_not(value, own, seen)
    if _is_constant(value) or _is_kerass(value):
        return None
    return f"uses `{name}`, which all trials share"


def _is_kerass(value: Any) -> bool:
    """Whether it is a class or function of Keras's, NumPy's or Python's."""
    if not isinstance(
        value,
        (type, types.FunctionType, types.BuiltinFunctionType, np.ufunc),
    ):
        return False
    module = (getattr(value, "__module__", None) or "numpy").split(".")[0]
    return value is not open and module in (
        "keras",
        "numpy",
        "math",
        "builtins",
    )


def _is_constant(value: Any) -> bool:
    if isinstance(value, (tuple, frozenset)):
        return all(map(_is_constant, value))
    return isinstance(value, (*_PLAIN, property))


def _is_own(value: Any) -> bool:
    """Whether a copy of a value has all that belongs to it."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_own, value))
    if isinstance(value, dict):
        return all(map(_is_own, (*value, *value.values())))
    return (
        isinstance(value, (*_PLAIN, np.ndarray, types.FunctionType))
        or _is_kerass(value)
        or value is math
    )
