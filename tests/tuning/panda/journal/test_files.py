"""What a run leaves: a journal and checkpoints that survive anything."""

import errno
import json

import keras
import numpy as np
import pytest

from tfcourse import layers, optimizers, schedules
from tfcourse.errors import InputError
from tfcourse.tuning.panda import Panda, read_journal
from tfcourse.tuning.panda.journal.journal import Journal, surviving
from tfcourse.tuning.panda.recovery import checkpoints
from tfcourse.tuning.panda.recovery.checkpoints import CheckpointRing
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


def test_gradient_norm_is_that_of_the_last_batch(tmp_path, runs):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1, clipnorm=1e-3), "mse")
    before = model.get_weights()
    panda = Panda(tmp_path, gradient_norm=True)
    runs.train(model, panda, epochs=1, batch_size=22)

    x, y = runs.X.astype("float64"), runs.Y.astype("float64")
    error = x @ before[0] + before[1] - y
    gradient = [2 * x.T @ error / 22, 2 * error.mean()]
    norm = np.sqrt(sum(np.sum(g**2) for g in gradient))
    (entry,) = runs.periods(tmp_path)
    assert entry["gradient_norm"] == pytest.approx(norm, rel=1e-5)
    assert "apply" not in vars(model.optimizer)


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


def test_full_disk_leaves_the_last_good_checkpoint(tmp_path, runs, monkeypatch):
    write = checkpoints.np.savez
    full = []

    def limited(file, **arrays):
        if full:
            file.write(b"half of it")
            _no_space()
        write(file, **arrays)

    class Fill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            full[:] = [True] * (epoch in (1, 2))

    monkeypatch.setattr(checkpoints.np, "savez", limited)
    panda = Panda(tmp_path, share=1.0, keep=2)
    runs.train(runs.fresh(), panda, Fill(), epochs=4)

    assert [e["epoch"] for e in runs.periods(tmp_path)] == [1, 2, 3, 4]
    (said,) = runs.events(tmp_path, "no checkpoint")
    assert said["step"] == 12
    assert "No space left on device" in said["why"]
    assert "epoch 1 (step 6)" in said["why"]
    # What was there stayed; what came after the disk had room is there.
    names = sorted(p.name for p in tmp_path.glob("checkpoints/*"))
    assert names == [
        "best.npz",
        "step-000000000006.npz",
        "step-000000000024.npz",
    ]


def test_ring_keeps_the_last_and_the_best(tmp_path, runs):
    class Worse(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [1.0, 3.0, 2.0, 0.0][epoch]

    # In this order: Panda sees what the other reports.
    panda = Panda(tmp_path, keep=2, share=1.0, monitor="score", mode="max")
    model = runs.fresh()
    runs.train(model, Worse(), panda, epochs=4)

    ring = CheckpointRing(tmp_path / "checkpoints", 2)
    ring.load()
    assert [one.epoch for one in ring.kept] == [3, 4]
    assert ring.best.epoch == 2
    last = model.get_weights()
    panda.restore_best()
    assert not np.array_equal(model.get_weights()[0], last[0])
    np.testing.assert_array_equal(
        model.get_weights()[0], ring.best.arrays()["model/0"]
    )


def test_best_is_kept_even_where_there_is_no_time_for_checkpoints(
    tmp_path, runs
):
    weights = []

    class Score(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [1.0, 3.0, 2.0][epoch]
            weights.append(self.model.get_weights()[0])

    panda = Panda(tmp_path, share=1e-9, monitor="score", mode="max")
    runs.train(runs.fresh("sgd"), Score(), panda)

    # One at the start, one at the end.
    assert len(runs.events(tmp_path, "checkpoint")) == 2
    ring = CheckpointRing(tmp_path / "checkpoints", 5)
    ring.load()
    assert ring.best.epoch == 2
    # Its values waited in memory while the model was trained on.
    np.testing.assert_array_equal(ring.best.arrays()["model/0"], weights[1])


def test_checkpoints_tell_their_size_and_time(tmp_path, runs):
    runs.train(runs.fresh(), Panda(tmp_path, share=1.0), epochs=2)

    entries = runs.events(tmp_path, "checkpoint")
    assert [e["epoch"] for e in entries] == [0, 1, 2]
    for entry in entries:
        file = tmp_path / "checkpoints" / entry["file"]
        assert entry["bytes"] == file.stat().st_size
        assert 0 < entry["duration"] < entry["seconds"] + 1


@pytest.mark.parametrize(
    "build, message",
    [
        (
            lambda: [keras.layers.Dense(5, name="hidden")],
            r"hidden/kernel was \(3, 4\) of float32, and in its place is "
            r".*hidden/kernel, \(3, 5\) of float32",
        ),
        (
            lambda: [keras.layers.Dense(4), keras.layers.Dense(1)],
            "seed_generator_state.* was",
        ),
        (lambda: None, "its optimizer was Adam, and is SGD"),
    ],
)
def test_run_of_another_model_is_refused(tmp_path, runs, build, message):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)
    before = sorted(p.name for p in tmp_path.glob("checkpoints/*"))
    if build():
        other = keras.Sequential([keras.Input((3,)), *build()])
        other.compile("adam", "mse", run_eagerly=True)
    else:
        other = runs.fresh("sgd")

    with pytest.raises(InputError, match=message):
        runs.train(other, Panda(tmp_path), epochs=2)
    assert sorted(p.name for p in tmp_path.glob("checkpoints/*")) == before
    # It is free again for the model that it is of.
    runs.train(runs.fresh(), Panda(tmp_path), epochs=2)


def test_names_that_keras_numbers_do_not_make_another_model(tmp_path, runs):
    def build():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        return model

    runs.train(build(), Panda(tmp_path), epochs=1)
    runs.train(build(), Panda(tmp_path), epochs=2)

    assert [e["epoch"] for e in runs.periods(tmp_path)] == [1, 2]


def test_damaged_checkpoint_is_named(tmp_path, runs):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)
    file = tmp_path / "checkpoints" / "step-000000000006.npz"
    file.write_bytes(file.read_bytes()[:500])

    with pytest.raises(InputError, match=r"0006.npz is damaged.*before it"):
        runs.train(runs.fresh(), Panda(tmp_path), epochs=2)


def test_next_fit_of_the_model_begins_at_its_own_epoch(tmp_path, runs):
    model = runs.fresh()
    runs.train(model, Panda(tmp_path), epochs=2)
    runs.train(model, Panda(tmp_path), epochs=3)

    assert runs.train(model, epochs=2).epoch == [0, 1]
