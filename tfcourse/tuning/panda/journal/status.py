"""The status of a run, read from its files."""

import dataclasses
import itertools
import math
import os
import time
from collections.abc import Sequence
from typing import Any

from tfcourse.tuning.panda.control.run_folder import is_alive, run_folder
from tfcourse.tuning.panda.journal.journal import (
    Entry,
    damaged_lines,
    events,
    periods,
    read_surviving,
)
from tfcourse.tuning.results.manifest import (
    PANDA_FILE,
    readable_or_input_error,
)
from tfcourse.utils.atomic_files import read_json

# What the run writes of itself.
_PUBLISHED = {
    **dict.fromkeys(("state", "host"), str),
    "pid": int,
    "epochs": (int, None),
    "best": ({"name": str, "value": float}, None),
    "checkpoints": [dict.fromkeys(("epoch", "batch", "step"), int)],
    "hyperparameters": {str: {"value": float, "interval": str}},
}
_BARS = "▁▂▃▄▅▆▇█"


@dataclasses.dataclass(frozen=True)
class Status:
    """How a run is.

    Attributes:
        state: `"running"`, `"paused"`, `"finished"`, `"stopped"`, or
            `"killed"` if it ended without a word.
        alive: Whether a process holds the folder.
        published: What the run wrote down of itself.
        periods: The journal's entries of periods.
        events: Its other entries.
        seconds_ago: How long ago the last entry was written, or `None`.
        damaged: How many lines of the journal cannot be read.
    """

    state: str
    alive: bool
    published: dict[str, Any]
    periods: list[Entry]
    events: list[Entry]
    seconds_ago: float | None
    damaged: int = 0


def read_status(run_dir: str | os.PathLike[str]) -> Status:
    """Returns the `Status` of a run, alive or not.

    Raises:
        InputError: If there is no run in the folder.
    """
    folder = run_folder(run_dir)
    # Before the journal: a run that ends in between is then still called alive.
    alive = is_alive(folder)
    with readable_or_input_error(folder / PANDA_FILE):
        published = read_json(folder / PANDA_FILE, _PUBLISHED)
    entries = read_surviving(folder)
    state = published["state"]
    if not alive and state in ("running", "paused"):
        state = "killed"
    return Status(
        state=state,
        alive=alive,
        published=published,
        periods=periods(entries),
        events=events(entries),
        seconds_ago=_seconds_since_last(entries),
        damaged=damaged_lines(entries),
    )


def _seconds_since_last(entries: Sequence[Entry]) -> float | None:
    times = [entry["time"] for entry in entries if "time" in entry]
    return time.time() - times[-1] if times else None


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """Returns a line of bars, one a value; `!` where it is not finite.

    More than `width` values are averaged in groups.

    >>> sparkline([3.0, 2.0, 1.0])
    '█▄▁'
    """
    values = _grouped(values, width)
    finite = [v for v in values if math.isfinite(v)]
    low, high = (min(finite), max(finite)) if finite else (0, 0)
    return "".join(_bar(v, low, high) for v in values)


def _bar(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "!"
    share = (value - low) / (high - low) if high > low else 0
    return _BARS[round(share * (len(_BARS) - 1))]


def _grouped(values: Sequence[float], width: int) -> Sequence[float]:
    if len(values) <= width:
        return values
    edges = [round(n * len(values) / width) for n in range(width + 1)]
    parts = [values[a:b] for a, b in itertools.pairwise(edges)]
    return [sum(part) / len(part) for part in parts]
