"""Where workers say what they are at."""

import types

from tfcourse.tuning.caviar.executors.on_ray import session, worker


class Now:
    """A board that is here, and no actor."""

    def __init__(self):
        self.board = worker.Board()
        for name in ("begun", "at_epoch", "look"):
            call = getattr(self.board, name)
            setattr(self, name, types.SimpleNamespace(remote=call))


def test_a_board_says_who_is_how_far():
    now = Now()
    now.begun.remote(1, "host", 71)
    now.begun.remote(2, "other", 72)
    worker._Telling(now, 1)(16, 3, 10)
    # One that nobody knows, as the board has begun anew.
    worker._Telling(now, 9)(16, 3, 10)

    ray = types.SimpleNamespace(
        get=lambda found, timeout: found,
        exceptions=types.SimpleNamespace(RayError=OSError),
    )
    made = session.RaySession.__new__(session.RaySession)
    made._ray, made._board = ray, now
    made._tasks = {"a": 1, "b": 2, "c": 3}
    assert made.at_work() == ["host in epoch 3 of 10", "other"]
    assert made._node_of(2) == "other"
    assert made._node_of(3) == ""


def test_it_is_told_now_and_then(monkeypatch):
    times = iter([0.0, 0.1, 0.6])
    monkeypatch.setattr(worker.time, "monotonic", lambda: next(times))
    told = []
    board = types.SimpleNamespace(
        at_epoch=types.SimpleNamespace(remote=lambda *x: told.append(x))
    )
    telling = worker._Telling(board, 1)
    for epoch in (1, 2, 3):
        telling(4, epoch, 3)
    assert told == [(1, 1, 3), (1, 3, 3)]
