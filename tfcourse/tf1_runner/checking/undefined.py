"""Names that a program uses before it has given them a meaning."""

import ast
import builtins
from collections.abc import Callable, Iterator

from tfcourse.tf1_runner.checking.reached import (
    is_main_guard,
    may_be_passed_over,
)
from tfcourse.tf1_runner.source.program import Source
from tfcourse.tf1_runner.source.used_names import is_for_names

_KNOWN = {
    *("__class__", "__file__", "__path__", "__version__"),
    *("get_ipython", "display", "In", "Out", "exit", "quit"),
}
# What may make names known that no line shows.
_HIDDEN = {"exec", "execfile", "globals", "locals", "vars", "run_line_magic"}
_SCOPES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


# Tells the names of a module that `import *` makes known, or None.
Star = Callable[[str], set[str] | None]


def undefined(
    sources: list[Source], star: Star = lambda module: None
) -> Iterator[tuple[Source, int, str]]:
    """Yields the source, line and name of what is undefined where it is used.

    Outside of functions, whose lines run one after the other, a line above
    must define it; in functions, any line.

    Args:
        sources: The cells of a notebook, or one script.
        star: Returns the names that `from module import *` makes known, or
            None where that is not sure.
    """
    trees = []
    for source in sources:
        try:
            trees.append(source.parse())
        except SyntaxError:
            return
        if hides_names(trees[-1], star) or "run_line_magic" in source.text:
            return
    known = _KNOWN | {*dir(builtins)}
    anywhere = known.union(*(bound(tree, star) for tree in trees))
    for source, tree in zip(sources, trees, strict=True):
        for statement in _one_by_one(tree.body):
            known |= bound(statement, star)
            for node in _used(statement):
                if node.id not in known:
                    known.add(node.id)  # Told once.
                    yield source, node.lineno, node.id
            known -= _deleted(statement)
        for node in _used_in_functions(tree):
            if node.id not in anywhere:
                anywhere.add(node.id)
                yield source, node.lineno, node.id

        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                for name in _unbound(node):
                    yield source, name.lineno, name.id


def _unbound(function):
    """Yields the local names that are read before they are set."""
    own = {*_stored(function.body)}
    arguments = {a.arg for a in ast.walk(function.args) if _is_arg(a)}
    outer = {
        name
        for node in ast.walk(function)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }
    yield from _read_too_early(function.body, own - arguments - outer, set())


def _is_arg(node):
    return isinstance(node, ast.arg)


def _stored(nodes):
    """Yields the names that are set in one scope, not in those within."""
    for node in nodes:
        match node:
            case ast.Name(name, ast.Store()):
                yield name
            case ast.FunctionDef(name) | ast.ClassDef(name):
                yield name
        if not isinstance(node, (*_SCOPES, ast.ClassDef)):
            yield from _stored(ast.iter_child_nodes(node))


def _read_too_early(statements, own, known):
    """Yields names of `own` that are read, and not yet known, line by line."""
    for statement in statements:
        inner = []
        if isinstance(statement, ast.With):
            statement, inner = statement.items, statement.body
        parts = statement if isinstance(statement, list) else [statement]
        if not isinstance(statement, list | ast.Assign | ast.Expr | ast.Return):
            known |= bound(statement)
        for part in parts:
            for node in _used(part):
                if node.id in own - known:
                    known.add(node.id)
                    yield node
            known |= bound(part)
        yield from _read_too_early(inner, own, known)
        if isinstance(statement, ast.Return | ast.Raise):
            return


def _used_in_functions(node, inside=False):
    """Yields the names that are read in functions, outside of branches."""
    if may_be_passed_over(node) and inside:
        return
    if inside and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node
    inside |= isinstance(node, ast.FunctionDef)
    for child in ast.iter_child_nodes(node):
        yield from _used_in_functions(child, inside)


def _one_by_one(statements):
    for statement in statements:
        if isinstance(statement, ast.If) and is_main_guard(statement.test):
            yield from _one_by_one(statement.body)
        else:
            yield statement


def hides_names(tree: ast.Module, star: Star = lambda module: None) -> bool:
    """Returns whether a file may have names that no line shows."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module, [ast.alias("*")], level):
                if level or star(module) is None:
                    return True
            case ast.Name(name) if name in _HIDDEN:
                return True
            case ast.Attribute(_, "magic" | "run_cell_magic"):
                return _may_name(tree)
    return False


def _may_name(tree):
    return any(
        isinstance(node, ast.Constant)
        and str(node.value).split(" ")[0].strip()
        in {"run", "load", "pylab", "load_ext", "store"}
        for node in ast.walk(tree)
    )


def bound(statement: ast.AST, star: Star = lambda module: None) -> set[str]:
    """Returns every name that a statement may bind, wherever in it."""
    names = set()
    for node in ast.walk(statement):
        match node:
            case ast.ImportFrom(module, [ast.alias("*")]):
                names |= star(module) or set()
            case ast.arg(name):
                names.add(name)
            case ast.Name(name, ast.Store()):
                names.add(name)
            case ast.alias(name, other):
                names.add(other or name.partition(".")[0])
            case ast.FunctionDef(name) | ast.ClassDef(name):
                names.add(name)
            case ast.AsyncFunctionDef(name) | ast.ExceptHandler(_, str(name)):
                names.add(name)
            case ast.MatchAs(_, str(name)) | ast.MatchStar(str(name)):
                names.add(name)
            case ast.Global(some):
                names.update(some)
    return names


def _deleted(statement):
    if not isinstance(statement, ast.Delete):
        return set()
    return {t.id for t in statement.targets if isinstance(t, ast.Name)}


def _used(node):
    """Yields the names that are read when a statement runs."""
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load):
            yield node
        return
    if isinstance(node, ast.Try) and any(map(is_for_names, node.handlers)):
        return
    if isinstance(node, ast.ClassDef | ast.If | ast.While):
        # Names of a class body are its own; a branch may not be taken.
        outer = getattr(node, "bases", None) or [getattr(node, "test", None)]
        inner = [n for n in outer if n is not None]
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        inner = [*node.decorator_list, *node.args.defaults]
    elif isinstance(node, _SCOPES):
        return
    else:
        inner = ast.iter_child_nodes(node)
    for child in inner:
        yield from _used(child)
