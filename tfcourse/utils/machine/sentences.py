"""What the errors of a machine mean to who works on it, a sentence each."""

import errno
import os
import re
from collections.abc import Iterator

_NO_ROOM = "Make room"
_MAY_NOT = "Choose a place that you may read and write, or allow it"
_OTHER = "Give another path, or restore what was there"
# What to do, by the number of the error.
_ADVICE = {
    "ENOSPC": _NO_ROOM,
    "EDQUOT": _NO_ROOM,
    "EFBIG": "Raise the limit of a file's size (`ulimit -f`)",
    "EMFILE": "Raise the limit of open files (`ulimit -n 4096`)",
    "ENFILE": "Close other programs",
    "EROFS": _MAY_NOT,
    "EACCES": _MAY_NOT,
    "EPERM": _MAY_NOT,
    "EIO": "The disk may be failing: copy what is there",
    "ESTALE": "Connect the disk of the network again",
    "ELOOP": _OTHER,
    "ENAMETOOLONG": "Give a shorter path",
    "ENOENT": _OTHER,
    "ENOTDIR": _OTHER,
    "EISDIR": _OTHER,
    "EEXIST": _OTHER,
    "EINVAL": _OTHER,
    "ENOMEM": "Close other programs",
    "EAGAIN": "Raise the limit of processes (`ulimit -u`)",
}
# HDF5 and TensorFlow have errors of the system in their messages only.
_NUMBER = re.compile(r"errno = (\d+)")
_NAME = re.compile(r"name = '([^']*)'")
_WORDS = re.compile(
    "|".join(
        re.escape(os.strerror(getattr(errno, name)))
        for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EMFILE", "EACCES")
        if hasattr(errno, name)
    )
)
_OF_TENSORFLOW = re.compile(r"tensorflow\.python\.framework\.errors")


def machine_error(error: BaseException) -> str | None:
    """Returns a sentence on what is wrong with the machine, if it is that.

    Args:
        error: An error; those that it was raised from are looked at, too.
    """
    for one in _chain(error):
        found = _of_system(one) or _of_memory(one) or _of_package(one)
        if found:
            return found
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        hidden = error.__suppress_context__
        error = error.__cause__ or (None if hidden else error.__context__)


def _of_system(error: BaseException) -> str | None:
    if not isinstance(error, OSError) and not _is_tensorflow(error):
        return None
    number = getattr(error, "errno", None) or _number_in(str(error))
    name = errno.errorcode.get(number or 0)
    if number is None or name is None:
        return None
    if "usable temporary directory" in str(error):
        return (
            "There is no folder for temporary files. Set TMPDIR to one that "
            "you may write to."
        )
    file = _filename(error)
    what = f"{file} cannot be read or written" if file else "A file fails"
    # HDF5 tells all that it knows.
    own = getattr(error, "strerror", None) or ""
    why = own if own and "errno" not in own else os.strerror(number)
    return f"{what}: {why}. {_ADVICE.get(name, 'Fix it')}."


def _is_tensorflow(error: BaseException) -> bool:
    return any(
        _OF_TENSORFLOW.match(kind.__module__) for kind in type(error).__mro__
    )


def _number_in(message: str) -> int | None:
    found = _NUMBER.search(message)
    if found:
        return int(found[1])
    words = _WORDS.search(message)
    if words is None:
        return None
    return next(
        number for number in errno.errorcode if os.strerror(number) == words[0]
    )


def _filename(error: BaseException) -> str | None:
    name = getattr(error, "filename", None)
    if isinstance(name, (str, bytes)):
        return os.fsdecode(name)
    found = _NAME.search(str(error))
    return found[1] if found else None


def _of_memory(error: BaseException) -> str | None:
    # By its name: TensorFlow may not have been imported.
    names = {kind.__name__ for kind in type(error).__mro__}
    is_memory = names & {"MemoryError", "ResourceExhaustedError"} or (
        "RESOURCE_EXHAUSTED" in str(error)
    )
    if not is_memory:
        return None
    return (
        "There is not enough memory. Close other programs, or use less at "
        "once: a smaller batch, network or table."
    )


def _of_package(error: BaseException) -> str | None:
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return None
    package = error.name.partition(".")[0]
    return (
        f"The package {package} is not installed. Install it, e.g. with `pip "
        f"install {package}`; `tfcourse doctor` says what else is missing."
    )
