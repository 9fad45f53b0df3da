"""The calls of a program, and whether they are made in any case."""

import ast
import dataclasses
from collections.abc import Callable

from tfcourse.tf1_runner.checking.reached import (
    is_main_guard,
    may_be_passed_over,
)

# Tells whether a condition holds, or None where that is not sure.
Truth = Callable[[ast.If | ast.IfExp], bool | None]


@dataclasses.dataclass(frozen=True)
class Call:
    """A call, and where it stands.

    Args:
        node: In the tree.
        is_sure: Whether no `if`, and no `try`, may pass over it.
        place: The source, line and column by number, in which order the
            program runs; None within functions and helpers.
    """

    node: ast.Call
    is_sure: bool
    place: tuple[int, int, int] | None

    @property
    def name(self) -> str:
        """The last part of what is called."""
        function = self.node.func
        return getattr(function, "attr", getattr(function, "id", ""))

    @property
    def owner(self) -> str | None:
        """The part before the last, such as `np`."""
        owner = getattr(self.node.func, "value", None)
        return getattr(owner, "id", getattr(owner, "attr", None))

    def may_follow(self, other: "Call") -> bool:
        """Returns whether another call may come before this one."""
        if self.place is None or other.place is None:
            return True
        return other.place < self.place


def calls_of(tree: ast.Module, number: int | None, truth: Truth) -> list[Call]:
    """Returns the calls in a tree, without those that no run comes to.

    Args:
        tree: The parsed source.
        number: Of the source in the program; None of a helper.
        truth: Tells of an `if` whether its condition holds.
    """
    return list(_calls(tree, number, truth, is_sure=True))


def _calls(node, number, truth, is_sure):
    if isinstance(node, ast.Call):
        place = (
            None if number is None else (number, node.lineno, node.col_offset)
        )
        yield Call(node, is_sure, place)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        number = None
    if isinstance(node, ast.If | ast.IfExp):
        yield from _calls_of_if(node, number, truth, is_sure)
        return
    is_sure = is_sure and not may_be_passed_over(node)
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, number, truth, is_sure)


def _calls_of_if(node, number, truth, is_sure):
    yield from _calls(node.test, number, truth, is_sure)
    answer = True if is_main_guard(node.test) else truth(node)
    for branch, of in ((node.body, True), (node.orelse, False)):
        if answer in (None, of):
            for child in branch if isinstance(branch, list) else [branch]:
                sure = is_sure and answer is of
                yield from _calls(child, number, truth, sure)
