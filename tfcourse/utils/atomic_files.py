"""Files that are either whole or not there."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil

# A disk serves those that wait for it together in one go.
_WRITERS = 8


@contextlib.contextmanager
def replacing(path):
    """Gives a path beside `path` to write to, and renames it into place.

    A reader, or a run that goes on after a crash, sees the old file or folder
    or the new one, never a half of it. On an error `path` stays as it was.

    Only one process at a time may write to `path`.

    Args:
        path: The file or folder to write. An old one is replaced.

    Yields:
        A `pathlib.Path` in the same folder, with the suffix of `path`.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same names each time, so that a crash leaves no more than one of each.
    beside = path.with_name(f".partial-{path.name}")
    aside = path.with_name(f".old-{path.name}")
    if aside.exists() and not path.exists():
        # A crash came between the two renames of `_put_in_place`.
        aside.rename(path)
    _remove(beside)
    try:
        yield beside
        _put_in_place(beside, path, aside)
    finally:
        _remove(beside)


def _put_in_place(beside, path, aside):
    if not path.is_dir():
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


def write_text(path, text):
    """Writes a text file in UTF-8, whole or not at all."""
    with (
        replacing(path) as beside,
        beside.open("w", encoding="utf-8", newline="") as f,
    ):
        f.write(text)
        f.flush()
        # Without it a loss of power can leave the new name with no content.
        os.fsync(f.fileno())


def write_json(path, value, **kwargs):
    """Writes a value as JSON, whole or not at all."""
    write_text(path, json.dumps(value, **kwargs))


def read_json(path):
    """Returns the value in a JSON file."""
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


class AtomicBatch:
    """Files that are written beside their places, and put there at once.

    To wait until the disk has a file takes some 5 ms, for eight files at once
    hardly more. So all are written, then all are made safe, and only then is
    each renamed into place, in the order of writing: a crash leaves every file
    whole, old or new, and none without those that were written before it.

    Use it as a context. An error inside leaves all files as they were.
    """

    def __init__(self):
        self._places = {}

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        try:
            if error is None:
                self._put_in_place()
        finally:
            for beside in self._places:
                beside.unlink(missing_ok=True)
            self._places.clear()

    def beside(self, path):
        """Returns where to write what shall be at `path` in the end."""
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".partial-{path.name}")
        # What is written again takes its new place in the order.
        self._places.pop(beside, None)
        self._places[beside] = path
        return beside

    def write_json(self, path, value):
        """Writes a value as JSON."""
        self.beside(path).write_text(json.dumps(value), encoding="utf-8")

    def _put_in_place(self):
        if len(self._places) == 1:
            _make_safe(*self._places)
        elif self._places:
            with concurrent.futures.ThreadPoolExecutor(_WRITERS) as threads:
                list(threads.map(_make_safe, self._places))
        for beside, path in self._places.items():
            beside.replace(path)


def _make_safe(path):
    with path.open("rb") as file:
        os.fsync(file.fileno())
