"""Two that start at one moment on one folder: one works, the other says so."""

import json
import os
import subprocess
import sys

import pytest
from damaged.searches import LOSS, X, Y, build

from tfcourse.errors import InputError
from tfcourse.runs.search import SearchRun
from tfcourse.runs.settings import Settings, TrainSettings
from tfcourse.runs.training import TrainingRun
from tfcourse.tuning import (
    Caviar,
    CoarseToFineSearch,
    RandomSearchOracle,
    SerialTuner,
)


def tuner_of(kind, folder, **settings):
    settings = {"directory": folder, "project_name": "p", **settings}
    if kind is SerialTuner:
        return kind(RandomSearchOracle(LOSS, 3), build, **settings)
    return kind(build, LOSS, 3, **settings)


def state(folder):
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.name in ("trial.json", "history.json", "run.json")
        or path.suffix == ".h5"
    }


@pytest.mark.parametrize(
    "kind",
    [
        Caviar,
        *(
            pytest.param(kind, marks=pytest.mark.slow)
            for kind in (SerialTuner, CoarseToFineSearch)
        ),
    ],
)
def test_a_search_that_another_has_finished_is_not_run_again(tmp_path, kind):
    first, second = (tuner_of(kind, tmp_path) for _ in range(2))
    first.search(X, Y, epochs=1, verbose=0)
    before = state(tmp_path)

    second.search(X, Y, epochs=1, verbose=0)

    assert state(tmp_path) == before
    scores = {name: t.score for name, t in first.oracle.trials.items()}
    assert scores == {n: t.score for n, t in second.oracle.trials.items()}


def test_a_search_at_work_is_not_overwritten(tmp_path):
    refused = []

    def overwrite(tuner, trial):
        before = state(tmp_path)
        with pytest.raises(InputError, match="in use by another search"):
            tuner_of(Caviar, tmp_path, overwrite=True)
        refused.append(state(tmp_path) == before)

    tuner = tuner_of(Caviar, tmp_path, on_trial=overwrite)
    tuner.search(X, Y, epochs=1, verbose=0)

    assert refused == [True] * 3
    # Once it has ended, its folder may be.
    again = tuner_of(Caviar, tmp_path, overwrite=True)
    assert not again.oracle.trials
    assert not list(tmp_path.glob("p/trial_*"))


SMALL = Settings(data="iris", trials=1, rounds=1, epochs=1)


def test_what_began_between_check_and_lock_is_not_overwritten(tmp_path):
    first = SearchRun(SMALL, tmp_path / "r", data=None)
    second = SearchRun(
        Settings(data="iris", trials=2, rounds=1, epochs=1), tmp_path / "r"
    )
    first.search()
    before = state(tmp_path)

    with pytest.raises(InputError, match="exists and is not empty"):
        second.search()
    assert state(tmp_path) == before

    # The same for two that go on with it.
    one, other = (
        SearchRun(SMALL.resumed(trials=n), tmp_path / "r", resume=True)
        for n in (2, 3)
    )
    other.search()
    before = state(tmp_path)
    with pytest.raises(InputError, match="Another process has continued"):
        one.search()
    assert state(tmp_path) == before


def test_a_training_that_began_meanwhile_is_not_overwritten(tmp_path):
    first, second = (
        TrainingRun(TrainSettings(SMALL, given), tmp_path / "r")
        for given in ({"units": 60}, {"units": 70})
    )
    assert first.train()
    before = state(tmp_path)

    with pytest.raises(InputError, match="was started with hyperparameters"):
        second.train()
    assert state(tmp_path) == before

    with first.locked(), pytest.raises(InputError, match="in use by another"):
        TrainingRun(first.settings, tmp_path / "r").train()


def start(folder, *words):
    return subprocess.Popen(
        [sys.executable, "-c", "from tfcourse.cli import main; main()", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "500"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("tune", "--trials", "2", "--rounds", "1"),
        ("train",),
    ],
    ids=["tune", "train"],
)
def test_two_processes_at_one_moment(tmp_path, words):
    options = ("--data", "iris", "--epochs", "3", "--out", "r")
    both = [start(tmp_path, *words, *options) for _ in range(2)]
    done = [(*p.communicate(timeout=300), p.returncode) for p in both]

    codes = sorted(code for *_, code in done)
    # Of a training the second finds it finished, if it comes so late.
    assert codes in ([0, 2], [0, 0]), done
    assert codes == [0, 2] or words == ("train",)
    for _, err, code in done:
        assert "Traceback" not in err
        if code == 2:
            assert err.splitlines()[-1].startswith("Error: r ")
    assert json.loads((tmp_path / "r/run.json").read_text())["result"]
