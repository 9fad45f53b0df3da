"""What is said of the time left."""

import io
import types

import keras_tuner
import pytest
from rich.console import Console

from tfcourse.tuning.display import progress as progress_module
from tfcourse.tuning.display.progress import TrialsProgress


def records(ended, running=0):
    def some(count, status):
        return [types.SimpleNamespace(status=status, score=0.9)] * count

    return some(ended, "completed") + some(running, "unfinished")


@pytest.mark.parametrize(
    "before, now, left",
    [
        # Seven trials that trained together took 14 s, 2 s each.
        (0, 7, "1 min 54 s"),
        # A resumed search had done 50 before it began.
        (50, 57, "14 s"),
        (0, 64, "0 s"),
    ],
)
def test_time_left_is_of_the_trials_of_this_run(monkeypatch, before, now, left):
    clock = [100.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: clock[0])
    written = io.StringIO()
    progress = TrialsProgress(
        Console(file=written, width=200),
        64,
        keras_tuner.Objective("val_accuracy", "max"),
        records(before, running=3),
    )
    clock[0] += 14
    progress.update(records(now, running=2))
    assert written.getvalue() == (
        f"trial {now}/64  best val_accuracy 0.9000  about {left} left\n"
    )
