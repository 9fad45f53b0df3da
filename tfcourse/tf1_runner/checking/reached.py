"""Which lines of a program are run, as far as its names tell."""

import ast
import dataclasses
from collections.abc import Iterable

from tfcourse.tf1_runner.source.program import Source
from tfcourse.tf1_runner.source.used_names import goes_on

# What runs a function that no line of the script names.
_RUNNERS = {"app": "main", "unittest": "main"}


@dataclasses.dataclass(eq=False)
class _Part:
    """A function: its lines, and what they mention; or what is outside of all.

    Args:
        needs: The names of which each must be mentioned for it to run.
    """

    needs: frozenset[str] = frozenset()
    lines: set[int] = dataclasses.field(default_factory=set)
    mentions: set[str] = dataclasses.field(default_factory=set)


class Reached:
    """Tells whether a line runs: in a function, if what runs names that.

    Args:
        parsed: The sources of a program and of its helpers, each with its
            tree. The own lines of a helper run when it is imported.
        scripts: The names of the sources that are the program itself.
    """

    def __init__(
        self,
        parsed: Iterable[tuple[Source, ast.Module]],
        scripts: set[str],
    ):
        self._parts: dict[str, list[_Part]] = {}
        for source, tree in parsed:
            divider = _Divider(source.name in scripts)
            divider.visit(tree)
            self._parts[source.name] = divider.parts
        self._names = _mentioned(self._parts.values())

    def __call__(self, source: Source, line: int) -> bool:
        return any(
            line in part.lines and part.needs <= self._names
            for part in self._parts.get(source.name, ())
        )


def _mentioned(files):
    """Returns the names that what runs mentions."""
    names = set()
    waiting = [part for parts in files for part in parts]
    while run := [part for part in waiting if part.needs <= names]:
        waiting = [part for part in waiting if part not in run]
        for part in run:
            names |= part.mentions
    return names


class _Divider(ast.NodeVisitor):
    """Divides a file into its functions and the rest."""

    def __init__(self, is_main):
        self.parts = [_Part()]
        self._is_main = is_main
        self._part = self.parts[0]
        self._class = None

    def visit(self, node):
        if hasattr(node, "lineno"):
            self._part.lines.add(node.lineno)
        super().visit(node)

    def visit_FunctionDef(self, node):
        for outer in (*node.decorator_list, node.args):
            self.visit(outer)
        needs = {node.name}
        if self._class:
            # A base class may call its methods.
            hidden = self._class.bases or node.name.startswith("__")
            needs = {self._class.name} | (set() if hidden else needs)
        elif node.decorator_list:
            needs = set()  # It may have been registered somewhere.
        self._within(_Part(frozenset(needs) | self._part.needs), None, node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node):
        for outer in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(outer)
        self._within(self._part, node, node)

    def visit_If(self, node):
        if is_main_guard(node.test) and not self._is_main:
            self._visit_all(node.orelse)
        else:
            self.generic_visit(node)

    def visit_Name(self, node):
        self._part.mentions.add(node.id)

    def visit_Attribute(self, node):
        self._part.mentions |= {node.attr, _RUNNERS.get(node.attr, node.attr)}
        self.generic_visit(node)

    def visit_alias(self, node):
        # Imported under another name, it is still that function.
        if node.asname:
            self._part.mentions.add(node.name)

    def _within(self, part, of_class, node):
        before = self._part, self._class
        self._part, self._class = part, of_class
        if part is not before[0]:
            self.parts.append(part)
        self._visit_all(node.body)
        self._part, self._class = before

    def _visit_all(self, nodes):
        for node in nodes:
            self.visit(node)


def is_main_guard(test: ast.expr) -> bool:
    """Returns whether it asks if the file is the program itself."""
    return "__main__" in ast.dump(test) and "__name__" in ast.dump(test)


def may_be_passed_over(node: ast.AST) -> bool:
    """Returns whether what stands in it may not run, or may fail."""
    if isinstance(node, ast.If):
        return not is_main_guard(node.test)
    if isinstance(node, ast.Try):
        return any(map(goes_on, node.handlers))
    return isinstance(node, ast.IfExp)
