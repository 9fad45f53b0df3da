"""Values that code reads when it runs, and what only is like itself."""

import functools
import hashlib
import sys
import types
from typing import Any

import keras
import numpy as np

# Their functions and classes are taken for what their names say.
_LIBRARIES = (sys.stdlib_module_names - {"__main__"}) | {
    "jax",
    "jaxlib",
    "keras",
    "keras_tuner",
    "numpy",
    "tensorflow",
    "tfcourse",
}
_LONG = 4096


class Same:
    """Stands for an object, kept alive, that equals nothing but itself."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self._value is other._value

    def __hash__(self) -> int:
        return id(self._value)

    def __repr__(self) -> str:
        return str(id(self._value))


def array_structure(array: np.ndarray | np.generic) -> tuple:
    """Returns the dtype, shape and content of an array."""
    if array.dtype.hasobject:
        return ("array", Same(array))
    content = array.tobytes()
    if len(content) > _LONG:
        content = hashlib.blake2b(content).digest()
    return ("array", str(array.dtype), array.shape, content)


@functools.cache
def is_library(module: str | None) -> bool:
    """Whether the code of a module is no user's."""
    return (module or "").partition(".")[0] in _LIBRARIES


def plain_member(value: Any) -> Any:
    """Returns the functions of a property, class method or static method."""
    if isinstance(value, (classmethod, staticmethod)):
        return value.__func__
    if isinstance(value, property):
        return [value.fget, value.fset, value.fdel]
    if isinstance(
        value, (types.MemberDescriptorType, types.GetSetDescriptorType)
    ):
        return value.__name__
    return value


def values_of_module(
    module: types.ModuleType, names: set[str]
) -> dict[str, Any]:
    """Returns what code with these names may read of a module, but code."""
    return {
        f"{module.__name__}.{name}": vars(module)[name]
        for name in names & vars(module).keys()
        if not isinstance(vars(module)[name], types.ModuleType)
        and not _is_of_library(module, vars(module)[name])
    }


def _is_of_library(module: types.ModuleType, value: Any) -> bool:
    return is_library(module.__name__) and (
        callable(value) or isinstance(value, keras.DTypePolicy)
    )
