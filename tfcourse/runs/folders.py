"""The folder of a run: its name, who may write to it, what it must not have."""

import contextlib
import datetime
import itertools
import pathlib
from collections.abc import Iterator

import filelock

from tfcourse.errors import InputError
from tfcourse.tuning.results.manifest import FILE

# What a run leaves that was killed before it wrote its settings.
_OF_A_KILLED_RUN = {".lock", f".partial-{FILE}"}

# The parts of a run that has begun.
_PARTS = ("search", "panda")


def new_folder(data: str) -> pathlib.Path:
    """Returns a folder in `runs/`, not there yet, called by data and time.

    Args:
        data: Name of a bundled data set, or path of a file.
    """
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    first = pathlib.Path("runs", f"{pathlib.Path(data).stem}-{now}")
    others = (first.with_name(f"{first.name}-{n}") for n in itertools.count(2))
    return next(f for f in itertools.chain([first], others) if not f.exists())


def newest_folder() -> pathlib.Path | None:
    """Returns the folder in `runs/` that was last written to, if any."""
    folders = [path.parent for path in pathlib.Path("runs").glob(f"*/{FILE}")]
    return max(folders, key=lambda f: f.stat().st_mtime, default=None)


def check_unused(folder: pathlib.Path) -> None:
    """Raises an `InputError` unless a folder is new or empty."""
    parts = [name for name in _PARTS if (folder / name).is_dir()]
    if parts and not (folder / FILE).exists():
        raise InputError(
            f"{folder / FILE} is missing, which says what run "
            f"{folder / parts[0]} belongs to. Restore it, or choose another "
            "--out."
        )
    if (folder.exists() and not folder.is_dir()) or (
        folder.is_dir()
        and {path.name for path in folder.iterdir()} - _OF_A_KILLED_RUN
    ):
        raise InputError(
            f"{folder} exists and is not empty. Choose another --out, or "
            "continue the run in it with --resume."
        )


def lock_of(folder: pathlib.Path) -> filelock.FileLock:
    """Returns the lock of a run's folder, for `locked`."""
    return filelock.FileLock(folder / ".lock", timeout=0)


@contextlib.contextmanager
def locked(folder: pathlib.Path, lock: filelock.FileLock) -> Iterator[None]:
    """Keeps other processes out of a folder, which is made if need be.

    Raises:
        InputError: If another process is in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with lock:
            yield
    except filelock.Timeout:
        raise InputError(
            f"{folder} is in use by another process that is still running. "
            "Wait for it, stop it, or choose another --out."
        ) from None
