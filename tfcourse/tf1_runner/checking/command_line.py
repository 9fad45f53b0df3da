"""What a program wants to be given when it is started, or asks for."""

import ast
import shutil
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
    if not {"argv", *_called_with_argv(tree)} & _lengths(tree):
        yield from _places(tree, given)


def asked(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yields a line, a name and a remark where a line is read from the user."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                ast.Name("input" | "raw_input" | "breakpoint" as name)
                | ast.Attribute(_, "set_trace" as name)
            ):
                yield node.lineno, name, "waits for a line from the keyboard"


def programs(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yields a line, a name and a remark where a film is made, without ffmpeg.

    matplotlib makes a GIF without it.
    """
    if shutil.which("ffmpeg"):
        return
    for node in _always(tree):
        match node:
            case ast.Call(ast.Attribute(_, "to_html5_video" as name)):
                yield node.lineno, f".{name}", _FFMPEG
            case ast.Call(ast.Attribute(_, "save"), given) if any(
                k.arg == "extra_args" for k in node.keywords
            ) or _ends_in_mp4(given, node.keywords):
                yield node.lineno, ".save", _FFMPEG


_FFMPEG = "needs the program ffmpeg"


def _ends_in_mp4(given, keywords):
    files = [*given[:1], *(k.value for k in keywords if k.arg == "filename")]
    return any(
        str(getattr(file, "value", "")).endswith(".mp4") for file in files
    )


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
    names = {"argv", *_called_with_argv(tree)}
    for node in _always(tree):
        place = 0
        match node:
            case ast.Subscript(whole, ast.Constant(int(place)), ast.Load()):
                pass
            case ast.Assign([ast.Tuple(targets) | ast.List(targets)], whole):
                place = len(targets) - 1
        if place > given and _is_argv(whole, names):
            yield node.lineno, f"sys.argv[{place}]", "give it after the script"


def _is_argv(node, names):
    match node:
        case ast.Attribute(ast.Name("sys"), "argv"):
            return True
        case ast.Name(name):
            return name in names
    return False


def _called_with_argv(tree):
    """Yields the names by which `sys.argv` is known within the program."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Name(name)], value) if _is_argv(value, ()):
                yield name
            case ast.Call(ast.Attribute(ast.Attribute(_, "app"), "run")):
                given = [*node.args, *(k.value for k in node.keywords)]
                main = getattr(given[0], "id", None) if given else "main"
                yield from _parameters(tree, main)


def _parameters(tree, function):
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name) if name == function:
                yield from (a.arg for a in node.args.args[:1])


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
