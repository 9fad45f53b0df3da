"""How far a search is, on a terminal or in a log."""

import time

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
        trials: How many trials there will be.
        objective: The `keras_tuner.Objective`.
        records: The `TrialRecord` of each trial of a search that is resumed.
    """

    def __init__(self, console, trials, objective, records=()):
        self._console = console
        self._trials = trials
        self._objective = objective
        self._started = time.monotonic()
        self._first = len(_ended(records))
        self._last = 0
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("trials"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=trials, best="", left="")

    def __enter__(self):
        self._bar.start()
        return self

    def __exit__(self, *_):
        self._bar.stop()

    def update(self, records):
        """Shows the state after a trial.

        Args:
            records: The `TrialRecord` of each trial so far.
        """
        done = _ended(records)
        best = self._best(done)
        left = self._left(len(done))
        self._bar.update(self._task, completed=len(done), best=best, left=left)
        # Trials that trained together end together: one line for all.
        if not self._console.is_terminal and len(done) > self._last:
            self._last = len(done)
            last = f"trial {len(done)}/{self._trials}"
            self._console.print(f"{last}  {best}  {left}", highlight=False)

    def _best(self, done):
        scores = [r.score for r in done if r.score is not None]
        if not scores:
            return f"{len(done)} failed"
        best = (
            max(scores) if self._objective.direction == "max" else min(scores)
        )
        return f"best {self._objective.name} {best:.4f}"

    def _left(self, done):
        if done <= self._first:
            return ""
        seconds = time.monotonic() - self._started
        left = seconds / (done - self._first) * (self._trials - done)
        return f"about {duration(left)} left"


def _ended(records):
    return [record for record in records if record.status != "unfinished"]
