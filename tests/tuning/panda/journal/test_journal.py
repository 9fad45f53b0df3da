"""What a run writes down: whole lines that survive anything."""

import errno
import json

import keras
import numpy as np
import pytest

from tfcourse import layers, optimizers, schedules
from tfcourse.tuning.panda import Panda, read_journal, read_status
from tfcourse.tuning.panda.journal.journal import Journal, surviving
from tfcourse.utils.atomic_files import read_json


def test_journal_tells_metrics_and_hyperparameters(tmp_path, runs):
    decay = schedules.InverseTimeDecay(0.1, 1.0, steps_per_epoch=6)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.InvertedDropout(0.75, name="drop"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizers.Momentum(decay, beta=0.5), "mse", run_eagerly=True)
    held_out = (runs.X[:4], runs.Y[:4])
    panda = Panda(tmp_path, period=4)
    history = runs.train(model, panda, epochs=2, validation_data=held_out)

    entries = runs.periods(tmp_path)
    # Every four batches, and at the ends of epochs.
    places = [(e["step"], e["epoch"], e["batch"]) for e in entries]
    assert places == [(4, 0, 4), (6, 1, 0), (8, 1, 2), (12, 2, 0)]
    for n in (0, 1):
        assert entries[2 * n + 1]["metrics"] == {
            name: values[n] for name, values in history.history.items()
        }
    settings = entries[-1]["hyperparameters"]
    assert settings["beta"] == 0.5
    assert settings["drop.keep_prob"] == 0.75
    assert settings["initial_learning_rate"] == 0.1
    # At step 12 the third epoch would begin.
    assert settings["learning_rate"] == pytest.approx(0.1 / 3)
    assert entries[0]["hyperparameters"]["learning_rate"] == pytest.approx(0.1)


def test_rate_of_a_schedule_of_keras_is_told(tmp_path, runs):
    decay = keras.optimizers.schedules.ExponentialDecay(0.5, 6, 0.1)
    runs.train(
        runs.network(keras.optimizers.SGD(decay)), Panda(tmp_path), epochs=2
    )

    rates = [e["hyperparameters"] for e in runs.periods(tmp_path)]
    assert [r["learning_rate"] for r in rates] == pytest.approx([0.05, 0.005])
    assert read_json(tmp_path / "panda.json")["hyperparameters"] == {}


def test_journal_has_only_whole_lines_of_strict_json(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"kind": "period", "n": 0}\n{"kind": "per')
    journal = Journal(path)
    journal.write({"kind": "event", "loss": [np.nan, np.inf, -np.inf, 1.5]})

    def refuse(constant):
        raise AssertionError(constant)

    lines = path.read_text().splitlines()
    assert [json.loads(s, parse_constant=refuse)["kind"] for s in lines] == [
        "period",
        "event",
    ]
    np.testing.assert_equal(
        read_journal(tmp_path)[1]["loss"], [np.nan, np.inf, -np.inf, 1.5]
    )
    assert journal.lines == 2


def test_what_cannot_be_written_is_written_later(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write({"n": 0})
    with monkeypatch.context() as patch:
        patch.setattr(journal, "_append", _no_space)
        journal.write({"n": 1})
        journal.write({"n": 2})
    assert len(read_journal(tmp_path)) == 1
    journal.write({"n": 3})

    assert [e["n"] for e in read_journal(tmp_path)] == [0, 1, 2, 3]


def _no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_surviving_entries_are_those_that_no_crash_undid():
    entries = [
        {"n": 0},
        {"n": 1},
        {"n": 2},
        {"event": "restart", "lines": 1},
        {"n": 3},
        {"event": "restart", "lines": 5},
    ]

    assert [e.get("n", "restart") for e in surviving(entries)] == [
        0,
        "restart",
        3,
        "restart",
    ]


def test_a_status_is_shown_as_text_and_as_a_table(tmp_path, runs):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=2)
    status = read_status(tmp_path)

    first, second = str(status).splitlines()[:2]
    assert first.split()[:3] == ["state", "finished;", "last"]
    assert second.split()[:4] == ["epochs", "2", "of", "2,"]
    assert repr(status) == str(status)
    assert "<td>epochs</td><td>2 of 2, step 12" in status._repr_html_()
