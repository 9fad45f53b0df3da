"""The folder of a run: whose it is, and what others may know of it."""

import contextlib
import json
import os
import pathlib
from typing import Any

import filelock

try:
    import fcntl
except ImportError:
    fcntl = None  # Windows has none.

from tfcourse.errors import InputError
from tfcourse.tuning.panda.journal.journal import FILE, is_journal
from tfcourse.tuning.results.manifest import PANDA_FILE
from tfcourse.utils.atomic_files import read_json, replacing

_LOCK = ".panda-lock"


# What `Recorder.publish` always writes.
_PUBLISHED = {"pid": int, "host": str, "state": str}


def check_new_or_own(run_dir: str | os.PathLike[str]) -> None:
    """Raises if a run would write over files that no run of Panda's made.

    Raises:
        InputError: If so; names the first.
    """
    folder = pathlib.Path(run_dir)
    if _is_own(folder):
        return
    others = [
        *(folder / name for name in (PANDA_FILE, FILE)),
        *sorted(folder.glob("answers/*.json")),
    ]
    for path in others:
        if os.path.lexists(path) and not _is_empty(path):
            raise InputError(
                f"{path} exists already and was not written by Panda, which "
                "would overwrite it. Choose another folder, or move it away."
            )


def _is_own(folder: pathlib.Path) -> bool:
    # Any of them may be damaged, or gone.
    if next(folder.glob("checkpoints/*.npz"), None) is not None:
        return True
    with contextlib.suppress(OSError, ValueError):
        read_json(folder / PANDA_FILE, _PUBLISHED)
        return True
    with contextlib.suppress(OSError):
        return is_journal(folder / FILE)
    return False


def _is_empty(path: pathlib.Path) -> bool:
    return path.is_file() and not path.stat().st_size


def lock_of(run_dir: str | os.PathLike[str]) -> filelock.BaseFileLock:
    """Returns the lock that a run holds as long as it lives.

    The same object for the same folder within a process, so that a cell of a
    notebook that was interrupted can be run again.
    """
    path = pathlib.Path(run_dir).resolve() / _LOCK
    return filelock.FileLock(path, is_singleton=True)


def acquire_lock(run_dir: str | os.PathLike[str]) -> filelock.BaseFileLock:
    """Makes the folder if need be, and takes its lock.

    Returns:
        The lock, which the caller is to release.

    Raises:
        InputError: If another process is training there.
    """
    pathlib.Path(run_dir).mkdir(parents=True, exist_ok=True)
    lock = lock_of(run_dir)
    if lock.is_locked:
        return lock  # Kept from a `fit` of this process that was interrupted.
    try:
        # Whoever asks whether the run is alive holds it for a moment.
        lock.acquire(timeout=2)
    except filelock.Timeout:
        raise InputError(
            f"{run_dir} is in use by another process that is still training. "
            f"Wait for it, stop it with `tfcourse panda stop {run_dir}`, or "
            "choose another folder."
        ) from None
    return lock


def is_alive(run_dir: str | os.PathLike[str]) -> bool:
    """Returns whether a process is training in the folder."""
    path = pathlib.Path(run_dir).resolve() / _LOCK
    if fcntl is None:
        # Not the run's own object: this is for other processes, too.
        try:
            with filelock.FileLock(path).acquire(timeout=0):
                return False
        except filelock.Timeout:
            return True
    return _is_locked(path)


def _is_locked(path: pathlib.Path) -> bool:
    """Returns whether a process holds a lock, for which it is enough to read.

    Whoever watches may not be allowed to write.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False  # None has begun there, or it is not known.
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False


def run_folder(run_dir: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the folder that has Panda's files: it, or `panda` in it.

    Raises:
        InputError: If neither has.
    """
    given = pathlib.Path(run_dir)
    for folder in (given, given / "panda"):
        if (folder / PANDA_FILE).exists():
            return folder
    raise InputError(
        f"There is no run of Panda in {run_dir}: it has no {PANDA_FILE}. Give "
        "the folder that was given to `Panda`, or the --out of `tfcourse "
        "train`."
    )


def publish(run_dir: str | os.PathLike[str], content: dict[str, Any]) -> None:
    """Writes what others may know of a run, whole or not at all."""
    # Not synced to the disk: after a loss of power the run writes it anew.
    with replacing(pathlib.Path(run_dir) / PANDA_FILE) as beside:
        beside.write_text(json.dumps(content), encoding="utf-8")
