"""Files that a program reads, does not make, and that are not there."""

import ast
import dataclasses
import glob
import pathlib
from collections.abc import Iterator

from tfcourse.tf1_runner.checking.calls import Call, calls_of
from tfcourse.tf1_runner.checking.files.functions import (
    asked,
    asks,
    folders_written,
    makes_folders,
    may_make,
    paths_read,
)
from tfcourse.tf1_runner.source.constants import Constants
from tfcourse.tf1_runner.source.used_names import goes_on_after

# What a saved model is made of.
_ENDINGS = ("", ".index", ".meta", ".npy")
_ABSENT = "there is no such file"
_ENDS = "the program ends if so"


def absent(
    trees: list[ast.Module],
    constants: Constants,
    folder: pathlib.Path,
    scripts: int,
) -> Iterator[tuple[ast.Module, int, str, str]]:
    """Yields the tree, line, path and remark on each file that is not there.

    And the conditions of branches that are taken and end the program. No file
    that the program may make, asks for first, or reads in a `try`.

    Args:
        trees: The parsed sources of the program, and then of its helpers.
        constants: What their expressions are.
        folder: Where the program runs.
        scripts: How many of the trees are the program itself.
    """
    numbers = [*range(scripts), *[None] * (len(trees) - scripts)]

    def calls_by(truth):
        pairs = zip(trees, numbers, strict=True)
        return [calls_of(tree, number, truth) for tree, number in pairs]

    calls = calls_by(lambda node: constants.truth(node.test))
    if any(call.name == "chdir" for some in calls for call in some):
        return
    made = [*_made(calls, constants)]

    def truth(node):
        return _truth(node, constants, folder, made)

    calls = calls_by(truth)
    unsure = {id(c.node) for some in calls for c in some if not c.is_sure}
    for tree, some in zip(trees, calls, strict=True):
        ends = _ends(tree, truth, constants)
        for call in (call for call in some if call.is_sure):
            if id(call.node) in ends:
                yield tree, call.node.lineno, *ends[id(call.node)]
            before = [m for m in made if call.may_follow(m.call)]
            if call.name == "restore" and not _saves_somewhere(some, constants):
                # No checkpoint comes of a folder alone.
                before = [
                    m
                    for m in before
                    if not (makes_folders(m.call) or asks(m.call))
                ]
            known = {m.text for m in before}
            for ways in paths_read(call, constants, unsure):
                lost = [
                    [p for p in paths if not _is_there(p, folder, known)]
                    for paths in ways
                ]
                if all(lost):
                    yield tree, call.node.lineno, lost[0][0], _ABSENT
            for path in folders_written(call, constants, unsure):
                if not _is_there(path, folder, known):
                    yield tree, call.node.lineno, f"{path}/", _ABSENT


def _truth(node, constants, folder, made):
    """Returns whether a condition holds; that a file is there, too."""
    within = {id(n) for part in _branches(node) for n in ast.walk(part)}
    others = {
        m.text
        for m in made
        if not asks(m.call) and id(m.call.node) not in within
    }

    def holds(test):
        path = asked(test, constants)
        if path:
            there = (folder / path).exists()
            return there or (None if _is_made(path, others) else False)
        return constants.truth(test, holds)

    return holds(node.test)


def _ends(tree, truth, constants):
    """Returns without which file a program ends, by the calls that end it.

    Or at which condition, where that is about no file.
    """
    found = {}
    for node in (n for n in ast.walk(tree) if isinstance(n, ast.If)):
        answer = truth(node)
        paths = [asked(part, constants) for part in ast.walk(node.test)]
        path = next(filter(None, paths), None)
        if answer is None:
            continue
        why = (path, _ABSENT) if path else (ast.unparse(node.test), _ENDS)
        for statement in node.body if answer else node.orelse:
            match statement:
                case ast.Raise(ast.Call() as call):
                    found[id(call)] = why
                case ast.Expr(ast.Call() as call) if not goes_on_after(
                    statement
                ) and not _is_success(call, constants):
                    found[id(call)] = why
    return found


def _is_success(call, constants):
    return not call.args or constants.value(call.args[0]) == 0


def _branches(node):
    for branch in (node.body, node.orelse):
        yield from branch if isinstance(branch, list) else [branch]


@dataclasses.dataclass(frozen=True)
class _Made:
    text: str
    call: Call


def _made(calls, constants):
    """Yields the strings that are given to what may make a file of that name.

    And those that the program looks for, before it reads them.
    """
    for call in (call for some in calls for call in some):
        name, node = call.name, call.node
        if asks(call) or may_make(call, constants):
            for given in [*node.args, *(k.value for k in node.keywords)]:
                path = constants.value(given)
                if isinstance(path, str) and path:
                    yield _Made(path, call)
                    if name == "save":  # Of a `Saver`.
                        state = pathlib.PurePath(path).parent / "checkpoint"
                        yield _Made(str(state), call)


def _saves_somewhere(calls, constants):
    """Returns whether something is saved, and its path is not known."""
    return any(
        call.name.startswith("save")
        and None in map(constants.value, call.node.args[1:2] or [None])
        for call in calls
    )


def _is_there(path, folder, made):
    """Returns whether a file is there, or may be by then."""
    if _is_made(path, made):
        return True
    if {"*", "?"} & {*path}:
        return any(glob.iglob(path, root_dir=folder))  # noqa: PTH207
    return any((folder / f"{path}{end}").exists() for end in _ENDINGS)


def _is_made(path, made):
    """Returns whether a path, or a folder that it lies in, is made."""
    path = pathlib.PurePath(path.removesuffix(".meta"))
    if path.name == "checkpoint":
        return str(path) in made
    own = {str(p) for p in (path, *path.parents) if p.name not in {"", ".."}}
    for text in made:
        if str(pathlib.PurePath(text)) in own or path.name == text:
            return True
        if text and path.name in text.split():
            return True
    return False
