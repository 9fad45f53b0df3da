"""What Python and NumPy no longer do, where only a program's text can help.

NumPy took an array of one number for the number, `int(np.array([3]))`, and
Python 2 rounded the quotient of whole numbers. A call to a function of this
file is put in such places.
"""

import ast
import builtins
import copy
import functools
import importlib.machinery
import importlib.util
import os
import pickle
import sys
from collections.abc import Callable

import numpy as np

from tfcourse.tf1_runner.source.program import Source
from tfcourse.tf1_runner.source.python_2 import in_python_3

_PREFIX = "_tfcourse_"


class LegacySemantics(ast.NodeTransformer):
    """Puts calls to the functions of this file where the meaning changed."""

    def __init__(self, rounds_division: bool):
        self._rounds_division = rounds_division

    def visit_Call(self, node):
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Name("int" | "float"), [ast.Starred()], _):
                pass
            case ast.Call(ast.Name("int" | "float"), [number], []):
                node.args = [_call(number_of, number)]
            case ast.Call(ast.Attribute(array, "tostring"), [], []):
                return _call(bytes_of, array)
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        match node:
            case ast.BinOp(ast.Constant(str()), ast.Mod(), values):
                node.right = _call(written, values)
            case ast.BinOp(a, ast.Div(), b) if self._rounds_division:
                return _call(divided, a, b)
        return node

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if not self._rounds_division or not isinstance(node.op, ast.Div):
            return node
        if any(isinstance(part, ast.Call) for part in ast.walk(node.target)):
            return node  # What is called must not be called twice.
        old = copy.deepcopy(node.target)
        old.ctx = ast.Load()
        new = ast.Assign([node.target], _call(divided_itself, old, node.value))
        return ast.copy_location(new, node)


def _call(function, *arguments):
    name = ast.Name(f"{_PREFIX}{function.__name__}", ast.Load())
    call = ast.Call(name, list(arguments), [])
    return ast.copy_location(call, arguments[0])


def number_of(value):
    """Returns the number in an array of one; anything else as it is."""
    return value.item() if _is_one(value) else value


def written(values):
    """Returns what goes into a text by `%`; arrays of one are numbers there."""
    if isinstance(values, tuple):
        return tuple(_Written(v) if _is_one(v) else v for v in values)
    return _Written(values) if _is_one(values) else values


class _Written:
    """An array of one in a text: a number by `%d` and `%f`, itself by `%s`."""

    def __init__(self, array):
        self._array = array

    def __float__(self):
        return float(self._array.item())

    def __int__(self):
        return int(self._array.item())

    def __repr__(self):
        return repr(self._array)

    def __str__(self):
        return str(self._array)


def _is_one(value):
    return isinstance(value, np.ndarray) and value.ndim and value.size == 1


def bytes_of(array):
    """Returns what `array.tostring()` gave, as it is called today."""
    return array.tobytes() if hasattr(array, "tobytes") else array.tostring()


def divided(a, b):
    """Returns a / b, rounded down if both are whole numbers."""
    return a // b if _is_whole(a) and _is_whole(b) else a / b


def divided_itself(a, b):
    """Returns a after `a /= b`: an array's own numbers are changed."""
    if _is_whole(a) and _is_whole(b):
        a //= b
    else:
        a /= b
    return a


def _is_whole(number):
    if isinstance(number, int):
        return True
    dtype = getattr(number, "dtype", None)
    # A NumPy type has a kind, one of TensorFlow is an integer or not.
    kind = getattr(dtype, "kind", None)
    return getattr(dtype, "is_integer", kind in {"i", "u"})


_FUNCTIONS = (number_of, written, bytes_of, divided, divided_itself)


def with_legacy_semantics(
    tree: ast.Module, rounds_division: bool = False
) -> ast.Module:
    """Returns a syntax tree that means what it meant then.

    Args:
        tree: Of a program.
        rounds_division: Whether 7 / 2 is 3.
    """
    changed = LegacySemantics(rounds_division).visit(tree)
    return ast.fix_missing_locations(changed)


def install(
    folder: str, sources: list[Source]
) -> Callable[[ast.Module], ast.Module]:
    """Prepares this process for a program, and for the modules beside it.

    Args:
        folder: Where the program lies.
        sources: Of the program.

    Returns:
        A function of a syntax tree, which is changed to mean what it meant.
    """
    for function in _FUNCTIONS:
        setattr(builtins, f"{_PREFIX}{function.__name__}", function)
    _install_loader(str(folder))
    if any(source.python_2 for source in sources):
        # Text that Python 2 pickled was bytes.
        pickle.load = functools.partial(pickle.load, encoding="latin1")
        pickle.loads = functools.partial(pickle.loads, encoding="latin1")
    rounds = any(source.rounds_division for source in sources)
    return functools.partial(with_legacy_semantics, rounds_division=rounds)


def _install_loader(folder):
    hook = importlib.machinery.FileFinder.path_hook(
        (
            importlib.machinery.ExtensionFileLoader,
            importlib.machinery.EXTENSION_SUFFIXES,
        ),
        (_Loader, [".py"]),
    )

    def hook_of_folder(path):
        within = f"{path}{os.sep}".startswith(f"{folder}{os.sep}")
        if not within or "site-packages" in path:
            raise ImportError
        return hook(path)

    sys.path_hooks.insert(0, hook_of_folder)
    sys.path_importer_cache.pop(folder, None)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module beside the script."""

    def source_to_code(self, data, path, **options):
        text = importlib.util.decode_source(data)
        (text,), _, rounds = in_python_3([text], path)
        tree = with_legacy_semantics(ast.parse(text, path), rounds)
        return compile(tree, path, "exec", dont_inherit=True)

    def path_stats(self, path):
        """Has no bytecode read, which is of today, nor this one's written."""
        raise OSError
