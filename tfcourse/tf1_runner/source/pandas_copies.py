"""Pandas before version 3: a column was a part of its table, and no copy.

`frame["a"][rows] = 1` and `frame["a"].fillna(0, inplace=True)` changed the
frame. Calls to the functions of this file are put in their place.
"""

import ast
import sys

from tfcourse.tf1_runner.source.then import is_one, number_of


def _is_frame(owner):
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(owner, pandas.DataFrame)


def assign_in_column(value, owner, key, place):
    """Does what `owner[key][place] = value` did."""
    if not _is_frame(owner):
        _assign(owner[key], place, value)
        return
    part = owner[key].copy()
    part[place] = value
    owner[key] = part


def assign_in_attribute(value, owner, name, place):
    """Does what `owner.name[place] = value` did."""
    if _is_frame(owner) and name in owner.columns:
        assign_in_column(value, owner, name, place)
    else:
        _assign(getattr(owner, name), place, value)


def _assign(part, place, value):
    """Assigns to a place; an array of one may be its number."""
    try:
        part[place] = value
    except (TypeError, ValueError):
        if not is_one(value):
            raise
        part[place] = number_of(value)


def change_column(owner, key, method, *args, **kwargs):
    """Does what `owner[key].method(..., inplace=True)` did."""
    part = owner[key]
    if not _is_frame(owner):
        return getattr(part, method)(*args, **kwargs)
    part = part.copy()
    getattr(part, method)(*args, **kwargs)
    owner[key] = part
    return None


def change_attribute(owner, name, method, *args, **kwargs):
    if _is_frame(owner) and name in owner.columns:
        return change_column(owner, name, method, *args, **kwargs)
    return getattr(getattr(owner, name), method)(*args, **kwargs)


def as_expression(index: ast.expr) -> ast.expr:
    """Returns what stands in brackets, with calls in the place of colons."""

    class Slices(ast.NodeTransformer):
        def visit_Slice(self, node):
            self.generic_visit(node)
            none = ast.Constant(None)
            ends = [node.lower or none, node.upper or none, node.step or none]
            return ast.Call(ast.Name("_tfcourse_slice", ast.Load()), ends, [])

    return Slices().visit(index)


def is_in_place(call: ast.Call) -> bool:
    """Returns whether a call has `inplace=True`."""
    return any(
        keyword.arg == "inplace"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in call.keywords
    )


FUNCTIONS = (
    assign_in_attribute,
    assign_in_column,
    change_attribute,
    change_column,
)
