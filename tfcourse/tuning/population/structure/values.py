"""Values that are known when they are seen, and what is only like itself."""

import collections
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import operator
import pathlib
import re
import sys
import types
import typing
import uuid
from typing import Any

import keras
import numpy as np

from tfcourse.errors import CannotVectorize

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
_NUMBERS = (bool, int, float, complex, str, bytes, bytearray)
# Of no other attributes than those that their text says.
_SAID_BY_TEXT = (
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, range, slice),
    *(np.dtype, np.ufunc, re.Pattern, types.EllipsisType, types.UnionType),
    *(types.NotImplementedType, operator.attrgetter, operator.itemgetter),
    *(operator.methodcaller, type(pathlib.Path()), pathlib.PurePosixPath),
    *(types.GenericAlias, typing.TypeVar, types.MemberDescriptorType),
    *(types.GetSetDescriptorType, types.WrapperDescriptorType),
    types.MethodDescriptorType,
    # A field of a named tuple.
    type(vars(collections.namedtuple("_", "field"))["field"]),
)


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


def plain_value(value: Any) -> tuple | None:
    """Returns the structure of a value without parts, or None."""
    kind = type(value)
    if value is None or kind in _NUMBERS:
        # Zero has a sign, and NaN is not equal to itself.
        exact: Any = value
        if kind in (float, complex):
            exact = repr(value)
        elif kind is bytearray:
            exact = bytes(exact)
        return (kind.__name__, exact)
    if kind in _SAID_BY_TEXT or kind.__name__ == "DType":
        return ("text", kind.__name__, repr(value))
    if isinstance(value, enum.Enum):
        return ("enum", Same(value))
    if kind is np.ndarray or isinstance(value, np.generic):
        return array_structure(value)
    return None


def builtin_content(value: Any) -> tuple:
    """Returns what a value of a class derived from a built-in one is worth."""
    bases: tuple[Any, ...] = (int, float, complex, str, bytes)
    for base in bases:
        if isinstance(value, base):
            return (base.__name__, base.__repr__(value))
    return ()


def array_structure(array: np.ndarray | np.generic) -> tuple:
    """Returns the dtype, shape and content of an array."""
    if array.dtype.hasobject:
        raise CannotVectorize(
            "it holds an array of objects, which cannot be compared"
        )
    content = array.tobytes()
    if len(content) > _LONG:
        content = hashlib.blake2b(content).digest()
    return ("array", str(array.dtype), array.shape, content)


@functools.cache
def is_library(module: str | None) -> bool:
    """Whether the code of a module is no user's."""
    return (module or "").partition(".")[0] in _LIBRARIES


def hides_state(kind: type) -> bool:
    """Whether objects of a class have more than attributes: fields in C."""
    slots = sum(
        len(np.atleast_1d(vars(base).get("__slots__", ())))
        for base in kind.__mro__
    )
    # One pointer a slot, and to the attributes and to weak references where it
    # has them: an iterator has neither, but a place where it is.
    slots += bool(kind.__dictoffset__) + bool(kind.__weakrefoffset__)
    known = object.__basicsize__ + object.__basicsize__ // 2 * slots
    return kind.__basicsize__ > known or bool(kind.__itemsize__)


def plain_member(value: Any) -> Any:
    """Returns the functions of a property, class method or static method."""
    if isinstance(value, (classmethod, staticmethod)):
        return value.__func__
    if isinstance(value, property):
        return [value.fget, value.fset, value.fdel]
    if isinstance(value, functools.cached_property):
        return value.func
    if isinstance(
        value, (types.MemberDescriptorType, types.GetSetDescriptorType)
    ):
        return value.__name__
    return value


def keras_settings() -> tuple:
    """Returns what code of Keras reads of its global settings."""
    config = keras.config
    return (
        ("floatx", config.floatx()),
        ("epsilon", repr(config.epsilon())),
        ("image_data_format", config.image_data_format()),
        ("dtype_policy", config.dtype_policy().name),
    )
