"""Paths for what takes a path as a pattern."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

# On Windows it separates folders.
_OF_PATTERNS = "*?[" + ("\\" if os.sep == "/" else "")


@contextlib.contextmanager
def without_pattern(folder: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Gives a path of a folder in which no character stands for others.

    TensorFlow looks for the variables of a model as if its path were a pattern,
    and finds none in a folder such as `exp[1]`.

    Args:
        folder: A folder, which is only to be read.

    Yields:
        Its path, or that of a link to it, or where there are no links that of
        a copy. It is good while the context lasts.
    """
    folder = pathlib.Path(folder)
    if not any(character in str(folder) for character in _OF_PATTERNS):
        yield folder
        return
    with tempfile.TemporaryDirectory() as elsewhere:
        link = pathlib.Path(elsewhere, "folder")
        try:
            link.symlink_to(folder.resolve(), target_is_directory=True)
        except OSError:
            shutil.copytree(folder, link)
        yield link
