"""Where a run is, and what it writes down of itself."""

import contextlib
import dataclasses
import numbers
import os
import pathlib
import socket
import time
from collections.abc import Mapping
from typing import Any

from tfcourse.tuning.panda.control.run_folder import publish
from tfcourse.tuning.panda.journal.journal import (
    FILE,
    Entry,
    Journal,
    periods,
    read_surviving,
)


@dataclasses.dataclass
class Place:
    """Where a run is.

    Attributes:
        step: How many batches it has seen. Goes on after a rollback.
        epoch: How many epochs it has finished.
        batch: How many batches of the next one it has seen.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0


class Recorder:
    """Writes the journal, and what others may know of the run.

    Args:
        run_dir: The folder of the run.
        place: The `Place` of the run, which moves on.
    """

    def __init__(self, run_dir: pathlib.Path, place: Place) -> None:
        self._run_dir = run_dir
        self._place = place
        self._journal = Journal(run_dir / FILE)
        self._began = time.time()
        self._before = 0.0
        self.periods: list[Entry] = []

    @property
    def lines(self) -> int:
        """How many entries the journal has."""
        return self._journal.lines

    @property
    def seconds(self) -> float:
        """For how long the run has gone on, in all its processes."""
        return self._before + time.time() - self._began

    def go_on(self, lines: int, seconds: float) -> None:
        """Forgets the entries after those that a checkpoint knew of."""
        self._before = seconds
        self.event("restart", why="an earlier process ended", lines=lines)
        entries = read_surviving(self._run_dir)
        self.periods = periods(entries)

    def period(
        self,
        metrics: Mapping[str, Any],
        hyperparameters: Mapping[str, float],
        **more: Any,
    ) -> None:
        """Writes the entry of a period."""
        scalars = {
            name: float(value)
            for name, value in metrics.items()
            if isinstance(value, numbers.Real)
        }
        entry = self._entry(
            "period", metrics=scalars, hyperparameters=hyperparameters, **more
        )
        self.periods.append(entry)
        self._journal.write(entry)

    def event(
        self, event: str, why: str = "", who: str = "Panda", **more: Any
    ) -> None:
        """Writes the entry of something that happened."""
        self._journal.write(
            self._entry("event", event=event, who=who, why=why, **more)
        )

    def _entry(self, kind: str, **content: Any) -> Entry:
        return {
            "kind": kind,
            **vars(self._place),
            "time": round(time.time(), 3),
            "seconds": round(self.seconds, 3),
            **content,
        }

    def publish(self, **content: Any) -> None:
        """Writes what `tfcourse panda` may want to know."""
        about = {"pid": os.getpid(), "host": socket.gethostname()}
        with contextlib.suppress(OSError):
            publish(self._run_dir, {**about, **content})
