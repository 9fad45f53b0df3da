"""What a program wants to be given when it is started, or asks for."""

import ast
from collections.abc import Iterator

from tfcourse.tf1_runner.checking.reached import may_be_passed_over

_OPTIONAL = ("?", "*", "...")


def wanted(tree: ast.Module, given: int) -> Iterator[tuple[int, str, str]]:
    """Yields a line, what stands there and what is to be given.

    Args:
        tree: The parsed source.
        given: How many arguments the script is given.
    """
    yield from _options(tree, given)
    if "argv" not in _lengths(tree):
        yield from _places(tree, given)


def asked(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yields a line, a name and a remark where a line is read from the user."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name("input" | "raw_input" as name)):
                yield node.lineno, name, "waits for a line from the keyboard"


def _options(tree, given):
    """The arguments that `argparse` or the flags of TensorFlow demand."""
    for node in () if given else ast.walk(tree):
        match node:
            case ast.Call(
                ast.Attribute(_, "add_argument"), [ast.Constant(str(name)), *_]
            ):
                settings = {k.arg: k.value for k in node.keywords}
                if _is_required(name, settings):
                    yield node.lineno, name, "give it after the script"
            case ast.Call(
                ast.Attribute(_, "mark_flag_as_required"), [ast.Constant(name)]
            ):
                yield node.lineno, f"--{name}", "give it after the script"


def _is_required(name, settings):
    value = {
        key: getattr(settings.get(key), "value", None)
        for key in ("required", "nargs")
    }
    if name.startswith("-"):
        return value["required"] is True
    return value["nargs"] not in _OPTIONAL


def _places(tree, given):
    """The places of `sys.argv` that are read in any case."""
    for node in _always(tree):
        match node:
            case ast.Subscript(
                ast.Attribute(ast.Name("sys"), "argv") | ast.Name("argv"),
                ast.Constant(int(place)),
                ast.Load(),
            ) if place > given:
                yield (
                    node.lineno,
                    f"sys.argv[{place}]",
                    "give it after the script",
                )


def _always(node):
    """Yields the nodes outside of branches."""
    for child in ast.iter_child_nodes(node):
        if not may_be_passed_over(child):
            yield child
            yield from _always(child)


def _lengths(tree):
    """Returns the last names of what `len` is asked of."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name("len"), [ast.Attribute(_, name)]):
                found.add(name)
            case ast.Call(ast.Name("len"), [ast.Name(name)]):
                found.add(name)
    return found
