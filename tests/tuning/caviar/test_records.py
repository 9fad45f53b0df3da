"""Caviar's files: is a kill at any moment without loss and repetition?"""

import pathlib

import fake_training
import keras_tuner
import numpy as np
import pytest

from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.utils import atomic_files as files
from tfcourse.utils.atomic_files import AtomicBatch

OBJECTIVE = keras_tuner.Objective("val_loss", "min")
TRIALS = ["0", "1", "2", "3"]


class Killed(BaseException):
    """Ends a process as `kill -9` would, as far as files can tell."""


def search(folder, oracle=None, **kwargs):
    tuner = Caviar(
        fake_training.build,
        OBJECTIVE,
        len(TRIALS),
        population=2,
        oracle=oracle,
        directory=folder,
        project_name="p",
        **kwargs,
    )
    tuner.search(np.ones((1, 1)), np.ones((1, 1)), epochs=2, verbose=0)
    return tuner


def killed_at(monkeypatch, count):
    """Lets no file come into place from the one with that number on."""
    replace, done = pathlib.Path.replace, 0

    def replace_until(self, target):
        nonlocal done
        done += 1
        if done >= count:
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(pathlib.Path, "replace", replace_until)


def states(folder):
    found = {}
    for path in sorted(folder.glob("p/trial_*/trial.json")):
        state = files.read_json(path)
        found[state["trial_id"]] = state
    return found


def completed(folder):
    return {
        trial_id: state["score"]
        for trial_id, state in states(folder).items()
        if state["status"] == "COMPLETED"
    }


# Every file for our own oracle, some for keras-tuner's.
EACH = {"own": 1, "random": 5, "grid": 3}
ORACLES = {
    "own": lambda: None,
    "random": lambda: keras_tuner.oracles.RandomSearchOracle(
        OBJECTIVE, len(TRIALS), seed=1
    ),
    "grid": lambda: keras_tuner.oracles.GridSearchOracle(
        OBJECTIVE, len(TRIALS), seed=1
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ORACLES)
def test_killed_at_every_file(tmp_path, monkeypatch, kind):
    make = ORACLES[kind]
    ran = fake_training.install(monkeypatch)
    search(tmp_path / "unbroken", make())
    expected = completed(tmp_path / "unbroken")
    ids = sorted(expected)
    assert len(ids) == len(TRIALS)

    for count in range(1, 100, EACH[kind]):
        folder = tmp_path / str(count)
        with monkeypatch.context() as patch:
            killed_at(patch, count)
            try:
                search(folder, make())
            except Killed:
                pass
            else:
                break
        kept = completed(folder)
        begun = {i: s["hyperparameters"] for i, s in states(folder).items()}
        ran.clear()
        tuner = search(folder, make())

        again = [trial_id for part in ran for trial_id in part]
        assert sorted([*kept, *again]) == ids, f"killed at file {count}"
        assert sorted(tuner.oracle.end_order) == ids
        assert kept.items() <= completed(folder).items()
        after = states(folder)
        assert all(after[i]["hyperparameters"] == begun[i] for i in begun)
        for trial_id in ids:
            place = folder / f"p/trial_{trial_id}"
            assert (place / "checkpoint.weights.h5").exists()
            assert (place / "history.json").exists()
        if kind == "own":
            assert completed(folder) == expected
    # For each trial at least its beginning, its end, curve and weights.
    assert count > 4 * len(TRIALS)


def test_list_of_trials_is_written_once_a_batch(tmp_path, monkeypatch):
    fake_training.install(monkeypatch)
    written, original = [], files.write_text

    def write_text(path, text):
        written.append(pathlib.Path(path).name)
        original(path, text)

    monkeypatch.setattr(files, "write_text", write_text)
    search(tmp_path)

    # At the beginning, after each of three times asked, after both batches.
    assert written.count("oracle.json") <= 1 + 3 + 2 + 1
    assert written.count("trial.json") == 0
    assert not list(tmp_path.rglob(".partial-*"))


def test_each_end_is_told_once_the_files_are_there(tmp_path, monkeypatch):
    fake_training.install(monkeypatch)
    told = []

    def on_trial(tuner, trial):
        state = states(tmp_path)[trial.trial_id]
        history = tmp_path / f"p/trial_{trial.trial_id}/history.json"
        told.append((trial.trial_id, state["status"], history.exists()))

    search(tmp_path, on_trial=on_trial)

    assert told == [(trial_id, "COMPLETED", True) for trial_id in TRIALS]


def test_interrupted_search_goes_on(tmp_path, monkeypatch):
    fake_training.install(monkeypatch)

    def interrupt(tuner, trial):
        if trial.trial_id == "2":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, on_trial=interrupt)

    assert {s["status"] for s in states(tmp_path).values()} == {"COMPLETED"}
    ran = fake_training.install(monkeypatch)
    tuner = search(tmp_path)
    assert ran == []
    assert sorted(tuner.oracle.end_order) == TRIALS


def test_interrupted_in_training_goes_on_in_the_same_process(
    tmp_path, monkeypatch
):
    def interrupt(trial):
        if trial.trial_id == "2":
            raise KeyboardInterrupt
        return fake_training.history([1.0])

    fake_training.install(monkeypatch, interrupt)
    tuner = Caviar(
        fake_training.build, OBJECTIVE, 4, population=2, directory=tmp_path
    )
    with pytest.raises(KeyboardInterrupt):
        tuner.search(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
    ran = fake_training.install(monkeypatch)
    tuner.search(np.ones((1, 1)), np.ones((1, 1)), verbose=0)

    assert ran == [["2", "3"]]


def test_groups_are_known_after_a_reload(tmp_path, monkeypatch):
    fake_training.install(monkeypatch)
    tuner = search(tmp_path)
    ran = fake_training.install(monkeypatch)

    again = search(tmp_path)

    assert ran == []
    assert again.groups == tuner.groups
    assert [group["trials"] for group in again.groups] == [
        ["0", "1"],
        ["2", "3"],
    ]
    assert all(group["how"] == "vectorised" for group in again.groups)
    assert search(tmp_path, overwrite=True).groups != tuner.groups
    assert ran == [["0", "1"], ["2", "3"]]


def test_files_written_together_are_all_old_or_in_order(tmp_path):
    (tmp_path / "a").write_text("old")

    def fail():
        with AtomicBatch() as together:
            together.beside(tmp_path / "a").write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]

    with AtomicBatch() as together:
        together.beside(tmp_path / "a").write_text("newer")
        together.write_json(tmp_path / "b" / "c.json", {"β": 1})
    assert (tmp_path / "a").read_text() == "newer"
    assert files.read_json(tmp_path / "b" / "c.json") == {"β": 1}
