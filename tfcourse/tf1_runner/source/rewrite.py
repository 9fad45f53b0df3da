"""What Python and NumPy no longer do, where only a program's text can help.

NumPy took an array of one number for the number, `int(np.array([3]))`, and
Python 2 rounded the quotient of whole numbers. A call to a function of `then`
is put in such places.
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

from tfcourse.tf1_runner.shims.python_2 import pickles
from tfcourse.tf1_runner.source import pandas_copies, then
from tfcourse.tf1_runner.source.pandas_copies import as_expression, is_in_place
from tfcourse.tf1_runner.source.program import Source
from tfcourse.tf1_runner.source.python_2 import in_python_3

_PREFIX = "_tfcourse_"


class LegacySemantics(ast.NodeTransformer):
    """Puts calls to the functions of this file where the meaning changed."""

    def __init__(self, rounds_division: bool, has_pandas: bool = False):
        self._rounds_division = rounds_division
        self._has_pandas = has_pandas

    def visit_Call(self, node):
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Name("int" | "float"), [ast.Starred()], _):
                pass
            case ast.Call(ast.Name("int" | "float"), [number], []):
                node.args = [_call(then.number_of, number)]
            case ast.Call(ast.Attribute(ast.Name("math")), [_, *_], []):
                node.args = [_number(argument) for argument in node.args]
            case ast.Call(ast.Attribute(owner, name), [], []) if (
                name in _METHODS
            ):
                return _call(_METHODS[name], owner)
            case ast.Call(ast.Attribute(owner, "has_key"), [key], []):
                return _call(then.has_key, owner, key)
            case ast.Call(ast.Attribute(owner, "ptp"), _, _):
                call = _call(then.extent_of, owner, *node.args)
                call.keywords = node.keywords
                return call
            case ast.Call(ast.Attribute(owner, "itemset"), [_, *_], []):
                return _call(then.set_item, owner, *node.args)
        return node

    def visit_Assign(self, node):
        """An array of one was assigned to an element as its number."""
        self.generic_visit(node)
        if self._has_pandas:
            in_frame = _assignment_in_column(node)
            if in_frame:
                return in_frame
        match node:
            case ast.Assign([ast.Subscript() as target], value) if _is_element(
                target
            ) and not isinstance(value, _NO_ARRAYS):
                return _assignment(node, target, value)
        return node

    def visit_Expr(self, node):
        """A column that was changed in place changed its frame."""
        self.generic_visit(node)
        call = node.value
        if isinstance(call, ast.Call) and is_in_place(call):
            return _change_of_column(node, call)
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        match node:
            case ast.BinOp(ast.Constant(str()), ast.Mod(), values):
                node.right = _call(then.written, values)
            case ast.BinOp(a, ast.Div(), b) if self._rounds_division:
                return _call(then.divided, a, b)
        return node

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if not self._rounds_division or not isinstance(node.op, ast.Div):
            return node
        if any(isinstance(part, ast.Call) for part in ast.walk(node.target)):
            return node  # What is called must not be called twice.
        old = copy.deepcopy(node.target)
        old.ctx = ast.Load()
        new = ast.Assign(
            [node.target], _call(then.divided_itself, old, node.value)
        )
        return ast.copy_location(new, node)


# What these give is no array of one element.
_NO_ARRAYS = (ast.Constant, ast.List, ast.Dict, ast.Tuple, ast.Compare)
_METHODS = {
    "iteritems": then.items_of,
    "iterkeys": then.keys_of,
    "itervalues": then.values_of,
    "next": then.next_of,
    "ptp": then.extent_of,
    "tostring": then.bytes_of,
}


# Frames' own ways to a place: what they give is changed as it should be.
_BY_PLACE = {"at", "iat", "iloc", "ix", "loc"}


def _assignment_in_column(node):
    """Returns `frame["a"][place] = value` as a call, or None."""
    match node:
        case ast.Assign(
            [ast.Subscript(ast.Subscript(owner, key), place)], value
        ):
            function, key = pandas_copies.assign_in_column, as_expression(key)
        case ast.Assign(
            [ast.Subscript(ast.Attribute(owner, name), place)], value
        ) if name not in _BY_PLACE and not name.startswith("__"):
            function = pandas_copies.assign_in_attribute
            key = ast.Constant(name)
        case _:
            return None
    return _statement(node, function, value, owner, key, as_expression(place))


def _change_of_column(node, call):
    """Returns `frame["a"].fillna(0, inplace=True)` as another call."""
    match call.func:
        case ast.Attribute(ast.Subscript(owner, key), method):
            function, key = pandas_copies.change_column, as_expression(key)
        case ast.Attribute(ast.Attribute(owner, name), method) if (
            not name.startswith("__")  # Within a class, it has another name.
        ):
            function, key = pandas_copies.change_attribute, ast.Constant(name)
        case _:
            return node
    constant = ast.Constant(method)
    new = _statement(node, function, owner, key, constant, *call.args)
    new.value.keywords = call.keywords
    return new


def _statement(node, function, *arguments):
    """Returns a call in the place of a statement."""
    statement = ast.Expr(_call(function, *arguments))
    for part in ast.walk(statement):
        if "lineno" in part._attributes and not hasattr(part, "lineno"):
            ast.copy_location(part, node)
        if isinstance(getattr(part, "ctx", None), ast.Store):
            part.ctx = ast.Load()
    return ast.copy_location(statement, node)


def _is_element(target):
    """Returns whether an assignment may be to one element, and done twice."""
    return not any(
        isinstance(part, ast.Slice | ast.Call | ast.Constant)
        and not (isinstance(part, ast.Constant) and isinstance(part.value, int))
        for part in ast.walk(target)
    )


def _assignment(node, target, value):
    """Returns `target = value`, and its number if the array does not fit."""
    name = f"{_PREFIX}value"
    kept = ast.Assign([ast.Name(name, ast.Store())], value)
    first = ast.Assign([target], ast.Name(name, ast.Load()))
    again = ast.Assign(
        [copy.deepcopy(target)],
        _call(then.number_of, ast.Name(name, ast.Load())),
    )
    other = ast.If(
        _call(then.is_one, ast.Name(name, ast.Load())),
        [again],
        [ast.Raise(None, None)],
    )
    errors = ast.Tuple(
        [ast.Name(f"{_PREFIX}{e}", ast.Load()) for e in _UNFIT], ast.Load()
    )
    attempt = ast.Try(
        [first], [ast.ExceptHandler(errors, None, [other])], [], []
    )
    for part in (kept, attempt):
        for inner in ast.walk(part):
            if "lineno" in inner._attributes and not hasattr(inner, "lineno"):
                ast.copy_location(inner, node)
    return [kept, attempt]


_UNFIT = ("TypeError", "ValueError")


def _number(argument):
    if isinstance(argument, ast.Starred | ast.Constant):
        return argument
    return _call(then.number_of, argument)


def _call(function, *arguments):
    name = ast.Name(f"{_PREFIX}{function.__name__}", ast.Load())
    call = ast.Call(name, list(arguments), [])
    located = next((a for a in arguments if hasattr(a, "lineno")), call)
    return ast.copy_location(call, located)


def with_legacy_semantics(
    tree: ast.Module, rounds_division: bool = False, has_pandas: bool = False
) -> ast.Module:
    """Returns a syntax tree that means what it meant then.

    Args:
        tree: Of a program.
        rounds_division: Whether 7 / 2 is 3.
        has_pandas: Whether columns of tables may be changed in it.
    """
    changed = LegacySemantics(rounds_division, has_pandas).visit(tree)
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
    vars(builtins)["_tfcourse_slice"] = slice
    for function in (*then.FUNCTIONS, *pandas_copies.FUNCTIONS):
        setattr(builtins, f"{_PREFIX}{function.__name__}", function)
    for error in _UNFIT:  # A script may have given the name to another.
        setattr(builtins, f"{_PREFIX}{error}", getattr(builtins, error))
    _install_loader(str(folder))
    if any(source.python_2 for source in sources):
        for name in ("load", "loads", "dump"):
            setattr(pickle, name, getattr(pickles, name))
    rounds = any(source.rounds_division for source in sources)
    has_pandas = any("pandas" in source.text for source in sources)
    return functools.partial(
        with_legacy_semantics, rounds_division=rounds, has_pandas=has_pandas
    )


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
        tree = ast.parse(text, path)
        tree = with_legacy_semantics(tree, rounds, "pandas" in text)
        return compile(tree, path, "exec", dont_inherit=True)

    def path_stats(self, path):
        """Has no bytecode read, which is of today, nor this one's written."""
        raise OSError
