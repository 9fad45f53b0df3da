"""The checkpoints of a run: whole, named, and the best among them."""

import errno
import os
import sys

import keras
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning.panda import Panda
from tfcourse.tuning.panda.recovery import checkpoints
from tfcourse.tuning.panda.recovery.checkpoints import CheckpointRing


def test_full_disk_leaves_the_last_good_checkpoint(tmp_path, runs, monkeypatch):
    write = checkpoints.np.savez
    full = []

    def limited(file, **arrays):
        if full:
            file.write(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
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


def cut(content):
    return content[:500]


def changed(content):
    # In the middle of arrays, which the table of the archive does not show.
    return content[:1000] + bytes(1000) + content[2000:]


@pytest.mark.parametrize("damage", [cut, changed])
def test_damaged_checkpoint_is_named_and_the_one_before_it_taken(
    tmp_path, runs, damage, caplog
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        runs.train(runs.fresh(), Panda(folder, share=1.0), epochs=2)
    file = broken / "checkpoints" / "step-000000000012.npz"
    file.write_bytes(damage(file.read_bytes()))

    again = runs.fresh()
    runs.train(again, Panda(broken), epochs=2)

    assert f"{file} cannot be read" in caplog.text
    assert "continues from epoch 1 (step 6)" in caplog.text
    assert runs.events(broken, "damage")[0]["why"] in caplog.text
    expected = CheckpointRing(whole / "checkpoints", 5)
    expected.load()
    for name, array in expected.newest.arrays().items():
        if name.startswith("model/"):
            weights = again.variables[int(name.removeprefix("model/"))]
            np.testing.assert_array_equal(weights, array)


def test_no_run_begins_anew_as_all_checkpoints_are_damaged(tmp_path, runs):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)
    for file in (tmp_path / "checkpoints").glob("*.npz"):
        file.write_bytes(b"")

    with pytest.raises(InputError, match=r"0006.npz is damaged.*no other"):
        runs.train(runs.fresh(), Panda(tmp_path), epochs=2)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes")
def test_nothing_is_waited_for_at_a_pipe(tmp_path):
    CheckpointRing(tmp_path, 2).write(
        {"w": np.zeros(2)}, {"step": 1, "epoch": 1, "batch": 0}
    )
    os.mkfifo(tmp_path / "best.npz")
    ring = CheckpointRing(tmp_path, 2)
    ring.load()

    assert [one.step for one in ring.kept] == [1]
    assert ring.damaged == [tmp_path / "best.npz"]
