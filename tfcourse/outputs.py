"""What a command may put in the place of what is there already.

A file or folder is replaced only by its own kind: to mistake a name must not
cost what a user has. Devices and pipes are no files of a user's; they are
written to.
"""

import os
import pathlib
import stat
from collections.abc import Callable

from tfcourse.errors import InputError

_BEGINNING = 4096
# What TensorFlow, Keras and tfcourse put into the folder of a SavedModel.
_OF_SAVED_MODELS = {
    *("saved_model.pb", "fingerprint.pb", "keras_metadata.pb"),
    *("variables", "assets", "assets.extra"),
}
# What tfcourse's own have, besides.
_METADATA = "assets.extra/tfcourse.json"


def is_device(path: str | os.PathLike) -> bool:
    """Returns whether a path leads to a device, a pipe or the like."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 (what a link leads to)
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def check_replaceable(
    path: pathlib.Path, is_own: Callable[[bytes], bool], kind: str
) -> None:
    """Raises unless a file is new, empty, a device, or of a kind.

    Args:
        path: Where to write.
        is_own: Of the file's beginning and end, whether it is of the kind.
        kind: What to call it, as in `"a report of tfcourse"`.

    Raises:
        InputError: If something else is there.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder. Choose another path.")
    if is_device(path) or not path.exists():
        return
    with path.open("rb") as file:
        content = file.read(_BEGINNING)
        file.seek(max(0, path.stat().st_size - _BEGINNING))
        content += file.read()
    if content and not is_own(content):
        raise InputError(
            f"{path} exists already and is not {kind}, so it is "
            "not replaced. Choose another path, or remove it."
        )


def is_page(content: bytes) -> bool:
    """Returns whether a file is a page that tfcourse has written."""
    return b"Content-Security-Policy" in content


def is_picture(content: bytes) -> bool:
    """Returns whether a file is a picture that matplotlib has drawn."""
    return b"atplotlib" in content


def is_text(content: bytes) -> bool:
    """Returns whether a file may be one of text."""
    # Its parts may begin and end in the middle of a character.
    return b"\0" not in content


def check_saved_model_replaceable(path: pathlib.Path) -> None:
    """Raises unless a path is new, an empty folder, or a SavedModel alone.

    Raises:
        InputError: If something else is there, or beside it in its folder.
    """
    if not os.path.lexists(path):
        return
    if not path.is_dir():
        raise InputError(
            f"{path} is not the folder of a SavedModel, so it is "
            "not replaced. Choose another path, or remove it."
        )
    names = {inside.name for inside in path.iterdir()}
    others = sorted(names - _OF_SAVED_MODELS)
    # Of one of tfcourse's, the program itself may be lost.
    is_model = "saved_model.pb" in names or (path / _METADATA).is_file()
    if names and (others or not is_model):
        what = f" ({others[0]!r} is in it)" if others else ""
        raise InputError(
            f"{path} is not a folder with a SavedModel alone{what}, so it "
            "is not replaced. Choose another path, or remove it."
        )
