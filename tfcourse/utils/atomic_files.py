"""Files and folders that after a crash are whole, old or new.

Each is written beside its place and then renamed into it: `replacing` does so
for one file or folder, `AtomicBatch` for several files. Text and JSON are on
the disk before they are renamed, so that no loss of power leaves the new name
without content.
"""

import concurrent.futures
import contextlib
import errno
import json
import os
import pathlib
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from tfcourse.utils.shapes import ANY, check_shape

# A disk serves those that wait for it together in one go.
_WRITERS = 8


@contextlib.contextmanager
def replacing(
    path: str | os.PathLike, *, keep_links: bool = False
) -> Iterator[pathlib.Path]:
    """Gives a path beside `path` to write to, and renames it into place.

    A reader, or a run that goes on after a crash, sees the old file or folder
    or the new one, never a half of it. On an error `path` stays as it was. A
    new file has the mode of the old one. Where `path` is a link, what it leads
    to is replaced. To a device is written what was written beside.

    Only one process at a time may write to `path`.

    Args:
        path: The file or folder to write. An old one is replaced.
        keep_links: Whether a file of several names (hard links) stays one, and
            all of them have the new content, and whether to write to a pipe,
            and wait for who reads it. A crash may leave a half of it.

    Yields:
        A `pathlib.Path` with the suffix of `path`, in the same folder if it is
        to be renamed.

    Raises:
        OSError: If it cannot be written: because a folder is there and `path`
            is to be a file, say, or a pipe that is not to be written to.
    """
    if not keep_links:
        _check_plain(path)
    if _is_written_through(path, keep_links):
        with _writing_through(pathlib.Path(path)) as beside:
            yield beside
        return
    path = _real(path)
    beside, aside = _beside(path), path.with_name(f".old-{path.name}")
    if aside.exists() and not path.exists():
        # A crash came between the two renames of `_rename_folder`.
        aside.rename(path)
    _remove(beside)
    try:
        yield beside
        _keep_mode(path, beside)
        if path.is_dir():
            _rename_folder(beside, path, aside)
        else:
            beside.replace(path)
    finally:
        _remove(beside)


def write_text(
    path: str | os.PathLike, text: str, *, keep_links: bool = False
) -> None:
    """Writes a text file in UTF-8, whole or not at all; see `replacing`."""
    with replacing(path, keep_links=keep_links) as beside:
        # JSON may have half a code point, which UTF-8 has not.
        data = text.encode("utf-8", "backslashreplace")
        beside.write_bytes(data)
        _sync([beside])


def write_json(path: str | os.PathLike, value: Any, **kwargs: Any) -> None:
    """Writes a value as JSON, whole or not at all."""
    write_text(path, json.dumps(value, **kwargs))


def read_bytes(path: str | os.PathLike) -> bytes:
    """Returns the content of a file.

    Raises:
        OSError: If it cannot be read, or is no file, but a pipe, say.
    """
    path = pathlib.Path(path)
    _check_plain(path, devices=False)
    return path.read_bytes()


def read_json(path: str | os.PathLike, shape: Any = ANY) -> Any:
    """Returns the value in a JSON file.

    Args:
        path: The file.
        shape: What it must look like, as for `check_shape`.

    Raises:
        OSError: If the file cannot be read, or is none, but a pipe, say.
        ValueError: If its content is no JSON, or of another shape.
    """
    try:
        value = json.loads(read_bytes(path).decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return check_shape(value, shape)


def set_aside(path: str | os.PathLike) -> pathlib.Path:
    """Renames a damaged file that can be done without; returns where it is."""
    path = pathlib.Path(path)
    aside = path.with_name(f".damaged-{path.name}")
    _remove(aside)
    path.rename(aside)
    return aside


class AtomicBatch:
    """Files that are written beside their places, and put there at once.

    To wait until the disk has a file takes some 5 ms, for eight files at once
    hardly more. So all are written, then all are synced, and only then is each
    renamed into place, in the order of writing: a crash leaves every file
    whole, old or new, and none without those that were written before it.

    Use it as a context. An error inside leaves all files as they were.
    """

    def __init__(self) -> None:
        self._places: dict[pathlib.Path, pathlib.Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                _sync(self._places)
                for beside, path in self._places.items():
                    _keep_mode(path, beside)
                    beside.replace(path)
        finally:
            for beside in self._places:
                _remove(beside)
            self._places.clear()

    def beside(self, path: str | os.PathLike) -> pathlib.Path:
        """Returns where to write what shall be at `path` in the end."""
        _check_plain(path)
        path = _real(path)
        beside = _beside(path)
        # What is written again takes its new place in the order.
        self._places.pop(beside, None)
        self._places[beside] = path
        return beside

    def write_json(self, path: str | os.PathLike, value: Any) -> None:
        """Writes a value as JSON."""
        self.beside(path).write_text(json.dumps(value), encoding="utf-8")


def _check_plain(path: str | os.PathLike, *, devices: bool = True) -> None:
    """Raises an `OSError` for a pipe: to open it is to wait for another."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 (what a link leads to)
    except (OSError, ValueError):
        return
    is_pipe = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    is_device = stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
    if is_pipe or (is_device and not devices):
        raise OSError(errno.EINVAL, "It is not a plain file", str(path))


def _is_written_through(path: str | os.PathLike, keep_links: bool) -> bool:
    try:
        found = os.stat(path)  # noqa: PTH116 (what a link leads to)
    except OSError:
        return False
    if stat.S_ISREG(found.st_mode):
        return keep_links and found.st_nlink > 1
    return not stat.S_ISDIR(found.st_mode)


@contextlib.contextmanager
def _writing_through(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a temporary path, and copies what is there to an open `path`."""
    with tempfile.TemporaryDirectory() as folder:
        beside = pathlib.Path(folder, path.name)
        yield beside
        with beside.open("rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)


def _real(path: str | os.PathLike) -> pathlib.Path:
    """Returns a path, or what it leads to if it is a link."""
    path = pathlib.Path(path)
    return pathlib.Path(os.path.realpath(path)) if path.is_symlink() else path


def _keep_mode(old: pathlib.Path, new: pathlib.Path) -> None:
    """Lets who might read and write a file or folder do so with a new one."""
    try:
        found = old.stat()
    except OSError:
        return
    made = new.stat()
    if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
        # For which one may have to be root.
        with contextlib.suppress(OSError, AttributeError):
            os.chown(new, found.st_uid, found.st_gid)
    if stat.S_IMODE(made.st_mode) != stat.S_IMODE(found.st_mode):
        new.chmod(stat.S_IMODE(found.st_mode))


def _beside(path: pathlib.Path) -> pathlib.Path:
    """Returns where to write `path`; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same name each time, so that a crash leaves no more than one.
    return path.with_name(f".partial-{path.name}")


def _rename_folder(
    beside: pathlib.Path, path: pathlib.Path, aside: pathlib.Path
) -> None:
    if not beside.is_dir():
        # Only one in which nothing is may go for a file.
        path.rmdir()
        beside.replace(path)
        return
    # A folder cannot be replaced in one step, so it goes aside first.
    _remove(aside)
    path.rename(aside)
    try:
        beside.rename(path)
    except BaseException:
        aside.rename(path)
        raise
    _remove(aside)


def _sync(paths: Iterable[pathlib.Path]) -> None:
    """Waits until the disk has the files."""
    paths = list(paths)
    if len(paths) < 2:
        for path in paths:
            _sync_file(path)
        return
    with concurrent.futures.ThreadPoolExecutor(_WRITERS) as threads:
        list(threads.map(_sync_file, paths))


def _sync_file(path: pathlib.Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _remove(path: pathlib.Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
