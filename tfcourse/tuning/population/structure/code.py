"""What the code of users' functions reads when it runs."""

import builtins
import contextlib
import dis
import functools
import importlib.util
import pathlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import keras

from tfcourse.tuning.population.structure.values import is_library

# Modules of Python's whose functions depend on their arguments only.
_PURE = frozenset(
    {
        *("__future__", "abc", "bisect", "builtins", "cmath", "collections"),
        *("contextlib", "copy", "dataclasses", "decimal", "enum"),
        *("fractions", "functools", "heapq", "inspect", "itertools", "json"),
        *("keyword", "logging", "math", "numbers", "operator", "re"),
        *("statistics", "string", "struct", "textwrap", "types", "typing"),
        *("warnings", "_operator", "_functools", "_collections"),
        *("_collections_abc", "_abc", "_heapq", "_bisect", "_struct"),
        *("_json", "_decimal"),
    }
)
_PURE_OF_OS = frozenset(
    {
        *("PathLike", "basename", "dirname", "environ", "fspath", "get"),
        *("join", "path", "sep", "splitext", "items", "keys", "values"),
    }
)
_HIDDEN_BUILTINS = frozenset(
    {
        *("__import__", "breakpoint", "compile", "eval", "exec", "globals"),
        *("input", "open"),
    }
)
# By these they may be had as attributes.
_OF_BUILTINS = frozenset({"__builtins__", "builtins"})
# What reads a file, of libraries that else compute.
_HIDDEN_OF_LIBRARIES = frozenset(
    {
        *("fromfile", "genfromtxt", "load", "loadtxt", "memmap", "read_file"),
    }
)
# Methods of paths, which are known by their text, that read what is there.
_HIDDEN_OF_PATHS = frozenset(
    {
        *("exists", "is_dir", "is_file", "iterdir", "lstat", "read_bytes"),
        *("read_text", "readlink", "rglob", "samefile"),
    }
)
# These may be those of other objects.
_HIDDEN_OF_SEEN_PATHS = frozenset({"glob", "open", "resolve", "stat"})
# With these a module is read by names that its reader does not spell.
_BY_ANY_NAME = frozenset(
    {
        *("__dict__", "__getattribute__", "attrgetter", "getattr", "vars"),
    }
)


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yields the code of a function and of those defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


@functools.lru_cache(maxsize=4096)
def names_of(code: types.CodeType) -> frozenset[str]:
    """Returns the names of globals and attributes that code has."""
    return frozenset(n for part in codes(code) for n in part.co_names)


@functools.lru_cache(maxsize=4096)
def globals_of(code: types.CodeType) -> frozenset[str]:
    """Returns the names that code reads from outside, but as attributes."""
    return frozenset(
        instruction.argval
        for part in codes(code)
        for instruction in dis.get_instructions(part)
        if instruction.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME"))
    )


def module_of_code(function: types.FunctionType) -> str | None:
    """Returns the name of the module that the code of a function is from.

    What wraps a function goes by the other's module, wherever it is from.
    """
    return function.__globals__.get("__name__")


def globals_read(function: types.FunctionType) -> dict[str, Any]:
    """Returns the values that a function reads from outside, by name."""
    names, around = names_of(function.__code__), function.__globals__
    found = {name: around[name] for name in names & around.keys()}
    for name in _imported(function.__code__, around.get("__package__") or ""):
        found[name] = sys.modules.get(name)
    for module in list(found.values()):
        if isinstance(module, types.ModuleType):
            found |= _values_of_module(module, names, set())
    return found


def hidden_reads(
    function: types.FunctionType, found: dict[str, Any]
) -> Iterator[str]:
    """Yields what a function uses whose values cannot be known beforehand.

    Args:
        function: A function of the user's.
        found: What `globals_read` returns for it.
    """
    names = names_of(function.__code__)
    # A method may be called so that has nothing to do with it, but not this.
    spelt = globals_of(function.__code__) | (names & {"open"})
    if names & _OF_BUILTINS:
        spelt = names
    for name in sorted(spelt & _HIDDEN_BUILTINS - found.keys()):
        if hasattr(builtins, name):
            yield name
    methods = _HIDDEN_OF_PATHS
    if any(isinstance(value, pathlib.Path) for value in _seen(function, found)):
        methods |= _HIDDEN_OF_SEEN_PATHS
    for name in sorted(names & methods):
        yield f"pathlib.Path.{name}"
    for name, value in found.items():
        if value is None and name in names and name not in sys.modules:
            if name not in function.__globals__:
                yield name
        elif isinstance(value, types.ModuleType):
            yield from _hidden_of_module(value, names)
        elif callable(value) and _is_hidden(_module_of(value)):
            yield f"{_module_of(value)}.{name}"


def _seen(function: types.FunctionType, found: dict[str, Any]) -> Iterator[Any]:
    """Yields the values that a function sees, but those in others."""
    yield from found.values()
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # It is empty yet.
            yield cell.cell_contents
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def _hidden_of_module(
    module: types.ModuleType, names: frozenset[str]
) -> Iterator[str]:
    name = module.__name__
    if name in ("os", "posixpath"):
        public = {*dir(module), *dir(module.__dict__.get("path"))}
        for other in sorted(names & public - _PURE_OF_OS):
            if not other.startswith("_"):
                yield f"{name}.{other}"
    elif name == "numpy":
        for other in sorted(names & _HIDDEN_OF_LIBRARIES):
            yield f"numpy.{other}"
    elif _is_hidden(name):
        yield name


def _is_hidden(module: str) -> bool:
    root = module.partition(".")[0]
    return root in sys.stdlib_module_names and root not in _PURE | {"__main__"}


def _module_of(value: Any) -> str:
    return getattr(value, "__module__", None) or ""


def _values_of_module(
    module: types.ModuleType, names: frozenset[str], seen: set[str]
) -> dict[str, Any]:
    """Returns what code with these names may read of a module, by name.

    Of a library only what is no code; of a user's module its functions, too.
    """
    seen.add(module.__name__)
    users = not is_library(module.__name__)
    if users and names & _BY_ANY_NAME:
        names = frozenset(n for n in vars(module) if not n.startswith("__"))
    found = {}
    for name in names & vars(module).keys():
        value = vars(module)[name]
        if isinstance(value, types.ModuleType):
            if users and value.__name__ not in seen:
                found |= _values_of_module(value, names, seen)
        elif users or not (
            callable(value) or isinstance(value, keras.DTypePolicy)
        ):
            found[f"{module.__name__}.{name}"] = value
    return found


@functools.lru_cache(maxsize=4096)
def _imported(code: types.CodeType, package: str) -> tuple[str, ...]:
    """Returns the names of modules that a function itself imports."""
    found = []
    for part in codes(code):
        level = 0
        for instruction in dis.get_instructions(part):
            if instruction.opname == "LOAD_CONST":
                level = (
                    instruction.argval
                    if type(instruction.argval) is int
                    else level
                )
            if instruction.opname == "IMPORT_NAME":
                name = "." * level + str(instruction.argval)
                found.append(
                    importlib.util.resolve_name(name, package)
                    if level
                    else name
                )
    return tuple(found)
