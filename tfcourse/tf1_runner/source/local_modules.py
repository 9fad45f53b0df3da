"""What a program uses, and the modules beside it, such as `tf_utils.py`."""

import collections
import pathlib
from collections.abc import Iterator

from tfcourse.tf1_runner.source.program import Source, read_sources
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
    files, seen = [sources], {pathlib.Path(source.name) for source in sources}
    for file in files:  # It grows as it is read: helpers import helpers.
        for source, uses in _uses(file, folder, {}, seen=()):
            yield source, uses
            for helper in (h for use in uses for h in _files(use.name, folder)):
                if helper not in seen:
                    seen.add(helper)
                    files.append(read_sources(helper))


def is_local(name: str, folder: pathlib.Path) -> bool:
    """Returns whether a dotted name is of a module beside the program."""
    root = name.partition(".")[0]
    folder = pathlib.Path(folder)
    return (folder / f"{root}.py").is_file() or (folder / root).is_dir()


def _uses(sources, folder, aliases, seen):
    def star(module):
        """Returns what `from module import *` makes known."""
        known = {}
        for file in _files(module, folder):
            if file not in seen:  # Or two that import each other never end.
                inner = _uses(read_sources(file), folder, known, (*seen, file))
                collections.deque(inner, maxlen=0)
        return known

    for source in sources:
        try:
            tree = source.parse()
        except SyntaxError:
            yield source, []
        else:
            yield source, names_used(tree, aliases, star)


def _files(name, folder):
    """Yields the files that a name may stand for, or lie in."""
    folder = pathlib.Path(folder)
    path = folder.joinpath(*name.split("."))
    while path != folder:
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                yield file
        path = path.parent
