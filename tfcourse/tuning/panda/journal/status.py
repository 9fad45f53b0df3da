"""The status of a run, read from its files."""

import dataclasses
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
from tfcourse.tuning.panda.journal.summary import status_rows
from tfcourse.tuning.results.manifest import (
    PANDA_FILE,
    readable_or_input_error,
)
from tfcourse.utils.atomic_files import read_json
from tfcourse.utils.notebook import Shown

# What the run writes of itself.
_PUBLISHED = {
    **dict.fromkeys(("state", "host"), str),
    "pid": int,
    "epochs": (int, None),
    "best": ({"name": str, "value": float}, None),
    "checkpoints": [dict.fromkeys(("epoch", "batch", "step"), int)],
    "hyperparameters": {str: {"value": float, "interval": str}},
}


@dataclasses.dataclass(frozen=True, repr=False)
class Status(Shown):
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

    def __str__(self) -> str:
        rows = list(status_rows(self))
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)

    def _as_table(self) -> Any:
        return ("", ""), status_rows(self), ""


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
