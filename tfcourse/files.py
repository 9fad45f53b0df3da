"""Files that are either whole or not there."""

import contextlib
import json
import os
import pathlib
import shutil
import uuid


@contextlib.contextmanager
def replacing(path):
    """Gives a path beside `path` to write to, and renames it into place.

    A reader, or a run that goes on after a crash, sees the old file or folder
    or the new one, never a half of it. On an error `path` stays as it was.

    Args:
        path: The file or folder to write. An old one is replaced.

    Yields:
        A `pathlib.Path` in the same folder, with the suffix of `path`.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        yield beside
        if path.is_dir():
            # A folder cannot be replaced in one step, so it goes aside first.
            aside = beside.with_name(f"{beside.name}-old")
            path.rename(aside)
            beside.rename(path)
            shutil.rmtree(aside)
        else:
            beside.replace(path)
    finally:
        _remove(beside)


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
