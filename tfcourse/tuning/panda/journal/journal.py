"""The journal of a run: one JSON object a line, readable while it grows."""

import contextlib
import errno
import json
import math
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from tfcourse.utils.atomic_files import read_bytes
from tfcourse.utils.shapes import check_shape

FILE = "journal.jsonl"

Entry = dict[str, Any]

# JSON has no such numbers.
_NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
# What an entry has, by its kind; one with anything else is damaged.
_OF_BOTH = {
    **dict.fromkeys(("step", "epoch", "batch"), int),
    **dict.fromkeys(("time", "seconds"), float),
}
_DAMAGED = {"kind": "damaged"}
_SHAPES = {
    "period": {
        **_OF_BOTH,
        "metrics": {str: float},
        "hyperparameters": {str: float},
        "gradient_norm?": float,
    },
    "event": {
        **_OF_BOTH,
        **dict.fromkeys(("event", "who", "why"), str),
        "before?": {str: float},
        "after?": {str: float},
        "to?": dict.fromkeys(("step", "epoch", "batch"), int),
    },
}
# A full disk must not fill the memory as well.
_MOST_WAITING = 10_000


class Journal:
    """Appends entries to a file, each whole or not at all.

    An entry that cannot be written, as the disk is full, waits in memory and
    is written before the next one that can.

    Args:
        path: The file. What a crash left of a last line is cut off.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = pathlib.Path(path)
        self._waiting: list[bytes] = []
        self._path.touch()
        content = read_bytes(self._path)
        self._size = content.rfind(b"\n") + 1
        os.truncate(self._path, self._size)
        self.lines = content.count(b"\n")

    def write(self, entry: Entry) -> None:
        """Appends a dict."""
        self._waiting.append(_line(entry))
        del self._waiting[:-_MOST_WAITING]
        self.lines += 1
        with contextlib.suppress(OSError):
            while self._waiting:
                self._append(self._waiting[0])
                del self._waiting[0]

    def _append(self, line: bytes) -> None:
        with self._path.open("r+b", buffering=0) as file:
            file.seek(self._size)
            # A disk that is nearly full may take a part of it.
            if file.write(line) < len(line):
                file.truncate(self._size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += len(line)


def read_journal(run_dir: str | os.PathLike[str]) -> list[Entry]:
    """Returns the entries of a run's journal, one dict each.

    Args:
        run_dir: The folder of the run, or the journal itself. It may be
            growing. Of a line that is damaged only the kind, `"damaged"`, is
            known.

    Example:

    >>> entries = read_journal("runs/digits")
    >>> [e["metrics"]["loss"] for e in entries if e["kind"] == "period"]
    [0.9, 0.5, 0.4]
    """
    path = pathlib.Path(run_dir)
    path = path / FILE if path.is_dir() else path
    if not path.exists():
        return []
    # What follows the last line break is still being written.
    lines = read_bytes(path).split(b"\n")[:-1]
    return [_entry(line) for line in lines]


def read_surviving(run_dir: str | os.PathLike[str]) -> list[Entry]:
    """Returns the entries of a run's journal that no crash undid, checked."""
    return surviving(checked(read_journal(run_dir)))


def is_journal(path: str | os.PathLike[str]) -> bool:
    """Whether a file has an entry of Panda's.

    Raises:
        OSError: If it cannot be read.
    """
    kinds = (entry.get("kind") for entry in checked(read_journal(path)))
    return any(kind in _SHAPES for kind in kinds)


def checked(entries: Iterable[Entry]) -> list[Entry]:
    """Returns entries of which each has what its kind has.

    One that has not is of the kind `"damaged"`.
    """
    return list(map(_whole, entries))


def surviving(entries: Iterable[Entry]) -> list[Entry]:
    """Returns the entries without those that a crash undid.

    What a run did after its last checkpoint is lost with it, and done again.
    """
    kept: list[tuple[int, Entry]] = []
    for n, entry in enumerate(entries):
        if entry.get("event") == "restart":
            kept = [(m, old) for m, old in kept if m < entry["lines"]]
        kept.append((n, entry))
    return [entry for _, entry in kept]


def periods(entries: Iterable[Entry]) -> list[Entry]:
    """Returns the entries that report a period."""
    return [entry for entry in entries if entry["kind"] == "period"]


def events(entries: Iterable[Entry]) -> list[Entry]:
    """Returns the entries of events."""
    return [entry for entry in entries if entry["kind"] == "event"]


def damaged_lines(entries: Iterable[Entry]) -> int:
    """Returns how many lines of a journal could not be read."""
    return sum(entry["kind"] == "damaged" for entry in entries)


def _entry(line: bytes) -> Entry:
    """Returns the entry in a line; what cannot be read hides no other."""
    try:
        return check_shape(_numbers(json.loads(line)), {"kind?": str})
    except (ValueError, RecursionError):
        return dict(_DAMAGED)


def _whole(entry: Entry) -> Entry:
    kind = entry.get("kind")
    try:
        if entry.get("event") == "restart":
            check_shape(entry, {"lines": int})
        return check_shape(entry, _SHAPES.get(kind, {"kind": str}))
    except ValueError:
        return dict(_DAMAGED)


def _line(entry: Entry) -> bytes:
    text = json.dumps(_strict(entry), separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _strict(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else f"{'-' * (value < 0)}Infinity"
    return value


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    if isinstance(value, str):
        return _NAMES.get(value, value)
    return value
