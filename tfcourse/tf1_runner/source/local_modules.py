"""What a program uses, and the modules beside it, such as `tf_utils.py`."""

import collections
import pathlib

from tfcourse.tf1_runner.source.program import read_program
from tfcourse.tf1_runner.source.used_names import names_used


def uses_with_helpers(pieces, folder):
    """Yields each piece of a program and of its helpers, with its uses.

    A helper is a module beside the program that the program, or another
    helper, imports.

    Args:
        pieces: Of the script or notebook.
        folder: Where it lies, and Python looks for its modules first.

    Yields:
        A piece and a list of `Use`. A piece that is not Python has none:
        that is told when it runs, as Python would.
    """
    files, seen = [pieces], {pathlib.Path(piece.name) for piece in pieces}
    for file in files:  # It grows meanwhile: helpers import helpers.
        for piece, uses in _uses(file, folder, {}, seen=()):
            yield piece, uses
            for helper in (h for use in uses for h in _files(use.name, folder)):
                if helper not in seen:
                    seen.add(helper)
                    files.append(read_program(helper))


def _uses(pieces, folder, aliases, seen):
    def star(module):
        """Returns what `from module import *` makes known."""
        known = {}
        for file in _files(module, folder):
            if file not in seen:  # Or two that import each other never end.
                inner = _uses(read_program(file), folder, known, (*seen, file))
                collections.deque(inner, maxlen=0)
        return known

    for piece in pieces:
        try:
            tree = piece.parse()
        except SyntaxError:
            yield piece, []
        else:
            yield piece, names_used(tree, aliases, star)


def _files(name, folder):
    """Yields the files that a name may stand for, or lie in."""
    folder = pathlib.Path(folder)
    path = folder.joinpath(*name.split("."))
    while path != folder:
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                yield file
        path = path.parent
