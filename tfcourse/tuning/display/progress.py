"""How far a search is, on a terminal or in a log."""

import math
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tfcourse.utils.text import duration


class TrialsProgress:
    """Trials done, the best so far and the time left.

    On a terminal one line that changes; elsewhere a line each time that trials
    have ended.

    Args:
        console: The `rich.console.Console` to write to.
        trials: How many trials there will be, or None.
        objective: The `keras_tuner.Objective`.
        records: What is known of each trial of a search that is resumed, with
            its `status` and `score`.

    Attributes:
        done: How many trials have ended.
        said: The best so far, the epoch of trials that train together, and the
            time left.
    """

    def __init__(
        self,
        console: Console,
        trials: int | None,
        objective: Any,
        records: Sequence[Any] = (),
    ) -> None:
        self._console = console
        self.trials = trials
        self._objective = objective
        self._started = time.monotonic()
        ended = _ended(records)
        self._first = self.done = len(ended)
        self._last = 0
        self.said = [self._best(ended) if ended else "", "", ""]
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("trials"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[workers]}", markup=False),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task(
            "", total=trials, best="", left="", workers=""
        )

    def __enter__(self) -> "TrialsProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.stop()

    def update(self, records: Sequence[Any]) -> None:
        """Shows the state after a trial.

        Args:
            records: What is known of each trial so far.
        """
        ended = _ended(records)
        self.done = len(ended)
        self.said = [self._best(ended), "", self._left(len(ended))]
        self._draw()
        # Trials that trained together end together: one line for all.
        if not self._console.is_terminal and self.done > self._last:
            self._last = self.done
            last = f"trial {self.done}/{self.trials or '?'}"
            best, _, left = self.said
            self._console.print(f"{last}  {best}  {left}", highlight=False)

    def epoch(self, trials: int, epoch: int, epochs: int) -> None:
        """Shows how far trials are that train together."""
        self.said[1] = f"{trials} in epoch {epoch} of {epochs}"
        self._draw()

    def tell_of_workers(self, words: str) -> None:
        """Shows how those that train are, in some words."""
        self._bar.update(self._task, workers=words)

    def _draw(self) -> None:
        best, epoch, left = self.said
        self._bar.update(
            self._task,
            completed=self.done,
            best=best,
            left="  ".join(filter(None, (epoch, left))),
        )

    def _best(self, ended: Sequence[Any]) -> str:
        scores = [r.score for r in ended if _is_score(r.score)]
        if not scores:
            return f"{len(ended)} failed"
        best = (
            max(scores) if self._objective.direction == "max" else min(scores)
        )
        return f"best {self._objective.name} {best:.4f}"

    def _left(self, done: int) -> str:
        if done <= self._first or not self.trials:
            return ""
        seconds = time.monotonic() - self._started
        left = seconds / (done - self._first) * (self.trials - done)
        return f"about {duration(left)} left"


def _is_score(score: float | None) -> bool:
    return score is not None and math.isfinite(score)


def _ended(records: Sequence[Any]) -> list[Any]:
    return [record for record in records if record.status != "unfinished"]
