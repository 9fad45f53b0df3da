"""Errors of the disk, told apart from those of what is written on it."""

import errno
import math
import os
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

# A disk that is full, at its quota, broken, or not to be written to.
_OF_ANY_FILE = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "ESTALE")
    if hasattr(errno, name)
)
# HDF5 has them in its message only.
_IN_MESSAGE = re.compile(r"errno = (\d+)")
# Bytes that HDF5 takes beside the numbers, at most.
_OF_A_FILE, _OF_A_GROUP = 2**13, 2**12
_NAME_IN_MESSAGE = re.compile(r"name = '([^']*)'")


def disk_error(
    error: BaseException, folder: str | os.PathLike | None = None
) -> str | None:
    """Returns what is wrong with a disk, in words, or None if nothing is.

    Args:
        error: An error; those that it was raised from are looked at, too.
        folder: A folder whose files are all to be there and writable. Of files
            elsewhere only what no program is to blame for counts.
    """
    for one in _chain(error):
        if not isinstance(one, (OSError, RuntimeError)):
            continue
        number: Any = getattr(one, "errno", None) or _number_in(str(one))
        if number in _OF_ANY_FILE or (
            number is not None
            and folder is not None
            and _is_inside(_filename(one), folder)
        ):
            return os.strerror(number)
    return None


def check_room_for_weights(
    path: str | os.PathLike, shapes: Iterable[tuple[int, ...]]
) -> None:
    """Raises an `OSError` if a file of weights cannot be written.

    HDF5 does not survive that: once a write has failed, it ends the process as
    it closes the file.

    Args:
        path: Where the file is to be.
        shapes: Those of the variables.
    """
    # A number of 8 bytes is the longest; each variable has its groups.
    size = _OF_A_FILE + sum(_OF_A_GROUP + 8 * math.prod(s) for s in shapes)
    path = pathlib.Path(path)
    trial = path.with_name(f".room-for-{path.name}")
    try:
        with trial.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.write(bytes(size))
    finally:
        trial.unlink(missing_ok=True)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _number_in(message: str) -> int | None:
    found = _IN_MESSAGE.search(message)
    return int(found[1]) if found else None


def _filename(error: BaseException) -> str | None:
    name = getattr(error, "filename", None)
    if isinstance(name, (str, bytes)):
        return os.fsdecode(name)
    found = _NAME_IN_MESSAGE.search(str(error))
    return found[1] if found else None


def _is_inside(name: str | None, folder: str | os.PathLike) -> bool:
    if name is None:
        return False
    return (
        pathlib.Path(name)
        .absolute()
        .is_relative_to(pathlib.Path(folder).absolute())
    )
