"""What a program uses, and the modules beside it, such as `tf_utils.py`."""

import collections
import pathlib
from collections.abc import Iterator

from tfcourse.tf1_runner.source.program import Source, read_sources
from tfcourse.tf1_runner.source.search_path import search_path
from tfcourse.tf1_runner.source.used_names import Use, names_used


def uses_with_helpers(
    sources: list[Source], folder: pathlib.Path
) -> Iterator[tuple[Source, list[Use]]]:
    """Yields each source of a program and of its helpers, with its uses.

    A helper is a module beside the program that the program, or another
    helper, imports.

    Args:
        sources: Of the script or notebook.
        folder: Where it lies, and Python looks for its modules first.

    Yields:
        A source and a list of `Use`. A source that is not Python has none:
        that is told when it runs, as Python would.
    """
    folders = search_path(sources, folder)
    files, seen = [sources], {pathlib.Path(source.name) for source in sources}
    for file in files:  # It grows as it is read: helpers import helpers.
        for source, uses in _uses(file, folders, {}, seen=()):
            yield source, uses
            named = [h for use in uses for h in _files(use.name, folders)]
            for helper in (*named, *_imported_by_name(source)):
                if helper not in seen:
                    seen.add(helper)
                    files.append(read_sources(helper))


def _uses(sources, folders, aliases, seen):
    def star(module):
        """Returns what `from module import *` makes known."""
        known = {}
        for file in _files(module, folders):
            if file not in seen:  # Or two that import each other never end.
                inner = _uses(read_sources(file), folders, known, (*seen, file))
                collections.deque(inner, maxlen=0)
        return known

    for source in sources:
        try:
            tree = source.parse()
        except SyntaxError:
            yield source, []
        else:
            package = _package(pathlib.Path(source.name), folders)
            yield source, names_used(tree, aliases, star, package)


def _package(file, folders):
    """Returns the dotted name of the package that a file lies in."""
    for folder in folders:
        if file.is_relative_to(folder):
            return ".".join(file.relative_to(folder).parent.parts)
    return ""


def _imported_by_name(source):
    """Returns the files of a package that imports all that lies in it."""
    file = pathlib.Path(source.name)
    if file.name != "__init__.py" or "import_module" not in source.text:
        return []
    return sorted(file.parent.glob("[!_]*.py"))


def _files(name, folders):
    """Yields the files that a name may stand for, or lie in."""
    for folder in folders:
        path = folder.joinpath(*name.split("."))
        while path != folder:
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if file.is_file() and not _is_replaced(file):
                    yield file
            path = path.parent


def _is_replaced(file):
    """Returns whether it is a copy of TensorFlow's own, which runs instead."""
    return (
        file.name == "input_data.py"
        and "downloading and reading MNIST" in file.read_text(errors="replace")
    )
