"""Where a program finds the modules that came with it."""

import ast
import importlib.machinery
import pathlib
import sys

from tfcourse.tf1_runner.imports.module_names import PYTHON_2
from tfcourse.tf1_runner.source.constants import Constants
from tfcourse.tf1_runner.source.program import Source

# How far above a program the folder may be from which it is to be started.
_LEVELS = 3


def search_path(
    sources: list[Source], folder: pathlib.Path
) -> list[pathlib.Path]:
    """Returns the folders of a program's own modules, its own folder first.

    Args:
        sources: Of the script or notebook.
        folder: Where it lies.
    """
    folder = pathlib.Path(folder)
    trees = []
    for source in sources:
        try:
            trees.append(source.parse())
        except SyntaxError:
            continue
    start = folder if sources and sources[0].is_cell else pathlib.Path()
    script = sources[0].name if sources else ""
    added = [
        start / path
        for path in _added(trees, Constants(trees, script))
        if (start / path).is_dir()
    ]
    root = _project(trees, [folder, *added], folder)
    return [folder, *added, *([root] if root else [])]


def project_folder(
    sources: list[Source], folder: pathlib.Path
) -> pathlib.Path | None:
    """Returns a folder above a program's that has a module it looks for.

    Editors begin a program there, so that `import src` finds what lies beside
    the program's folder. None if all is found without it.

    Args:
        sources: Of the script or notebook.
        folder: Where it lies.
    """
    last = search_path(sources, folder)[-1]
    above = pathlib.Path(folder).absolute().parents[:_LEVELS]
    return last if last in above else None


def lies_in(root: str, folder: pathlib.Path) -> bool:
    """Returns whether a folder has a module or package of that name."""
    path = folder / root
    return path.with_name(f"{root}.py").is_file() or (
        path.is_dir() and any(path.glob("*.py"))
    )


def _added(trees, constants):
    """Yields what the program itself adds to `sys.path`."""
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Call(
                ast.Attribute(
                    ast.Attribute(ast.Name("sys"), "path"), "append" | "insert"
                ),
                [*_, value],
            ):
                path = constants.value(value)
                if isinstance(path, str):
                    yield path


def _project(trees, folders, folder):
    for root in _roots(trees):
        if any(lies_in(root, place) for place in folders) or _is_known(root):
            continue
        for above in folder.absolute().parents[:_LEVELS]:
            if lies_in(root, above) and above != above.parent:
                return above
    return None


def _is_known(root):
    """Returns whether Python has such a module; no hook of ours is asked."""
    known = {*sys.stdlib_module_names, *PYTHON_2, "input_data"}
    return root in known or bool(importlib.machinery.PathFinder.find_spec(root))


def _roots(trees):
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Import(items):
                yield from (item.name.partition(".")[0] for item in items)
            case ast.ImportFrom(str(module), _, 0):
                yield module.partition(".")[0]
