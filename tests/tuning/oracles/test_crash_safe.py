"""A search killed at any moment goes on: nothing lost, nothing run twice."""

import json
import pathlib

import keras_tuner
import pytest
from damaged.changes import changed

from tfcourse.errors import InputError
from tfcourse.tuning import RandomSearchOracle, SerialTuner
from tfcourse.tuning.oracles.crash_safe import CrashSafeOracle
from tfcourse.utils import atomic_files as files

TRIALS = 4
SCORE = keras_tuner.Objective("score", "max")


class Killed(BaseException):
    """Ends a process as `kill -9` would, as far as files can tell."""


class Untrained(SerialTuner):
    """Scores a trial by a formula, and remembers what it ran."""

    def __init__(self, ran, folder, oracle=None):
        super().__init__(
            oracle or RandomSearchOracle(SCORE, TRIALS),
            lambda hp: hp.Float("x", 0, 1),
            directory=folder,
            project_name="search",
        )
        self._ran = ran

    def run_trial(self, trial, **_):
        if int(trial.trial_id) == 1:
            raise keras_tuner.errors.FailedTrialError("planted")
        score = trial.hyperparameters.get("x") ** 2
        self._ran.append(trial.trial_id)
        return {"score": score}


def results(folder):
    trials = {}
    for path in sorted(pathlib.Path(folder).glob("search/trial_*/trial.json")):
        state = json.loads(path.read_text())
        values = state["hyperparameters"]["values"]
        trials[state["trial_id"]] = (values, state["status"], state["score"])
    return trials


def search(ran, folder, oracle=None):
    Untrained(ran, folder, oracle).search(verbose=0)


def hyperband():
    return keras_tuner.oracles.HyperbandOracle(
        SCORE, max_epochs=4, factor=2, seed=1
    )


def random_of_keras_tuner():
    return keras_tuner.oracles.RandomSearchOracle(SCORE, TRIALS, seed=1)


def killed_at(monkeypatch, write, *, before):
    """Makes the process die at that write of a file, before or after it."""
    count = 0
    original = pathlib.Path.replace

    def replace(path, to):
        nonlocal count
        count += 1
        if count == write and before:
            raise Killed
        original(path, to)
        if count == write:
            raise Killed

    monkeypatch.setattr(pathlib.Path, "replace", replace)


def completed(folder):
    return {i for i, (_, s, _) in results(folder).items() if s == "COMPLETED"}


def ended(folder):
    return sorted(files.read_json(folder / "search/oracle.json")["end_order"])


def test_killed_at_every_write(tmp_path, monkeypatch):
    search([], tmp_path / "unbroken")
    expected = results(tmp_path / "unbroken")
    assert completed(tmp_path / "unbroken") == {"0", "2", "3"}

    for write in range(1, 1000):
        folder = tmp_path / str(write)
        before, after = [], []
        with monkeypatch.context() as patch:
            killed_at(patch, write, before=write % 2 == 0)
            try:
                search(before, folder)
            except Killed:
                kept = completed(folder)
            else:
                break
        search(after, folder)

        assert results(folder) == expected
        assert not kept & set(after), f"run twice after write {write}"
        # What ran before may be written down, if not yet in its place.
        assert kept | {*before, *after} == {"0", "2", "3"}
        assert ended(folder) == ["0", "1", "2", "3"]
    # One write for each state of each trial, at least.
    assert write > 4 * TRIALS


@pytest.mark.parametrize(
    "oracle, writes",
    [
        # Three a trial as it begins, one as it is scored, three as it ends.
        (hyperband, range(20, 1000, 8)),
        pytest.param(hyperband, range(1, 1000), marks=pytest.mark.slow),
        pytest.param(
            random_of_keras_tuner, range(1, 1000), marks=pytest.mark.slow
        ),
    ],
)
def test_oracles_of_keras_tuner_killed_at_any_write(
    tmp_path, monkeypatch, oracle, writes
):
    search([], tmp_path / "unbroken", oracle())
    expected = results(tmp_path / "unbroken")
    assert {s for _, s, _ in expected.values()} == {"COMPLETED", "FAILED"}

    for write in writes:
        folder = tmp_path / str(write)
        with monkeypatch.context() as patch:
            killed_at(patch, write, before=write % 2 == 0)
            try:
                search([], folder, oracle())
            except Killed:
                kept = results(folder).items()
            else:
                break
        search(after := [], folder, oracle())

        assert results(folder) == expected, write
        done = {i for i, (_, status, _) in kept if status == "COMPLETED"}
        assert not done & set(after)
    assert write > 2 * len(expected)


def test_killed_again_and_again(tmp_path, monkeypatch):
    search([], tmp_path / "unbroken")
    ran, kept = [], set()

    for _ in range(100):
        with monkeypatch.context() as patch:
            killed_at(patch, 7, before=False)
            try:
                search(ran, tmp_path / "broken")
            except Killed:
                assert kept <= completed(tmp_path / "broken")
                kept = completed(tmp_path / "broken")
            else:
                break

    assert results(tmp_path / "broken") == results(tmp_path / "unbroken")


def test_more_trials_can_be_asked_for_later(tmp_path, monkeypatch):
    search([], tmp_path)
    first = results(tmp_path)
    ran = []
    monkeypatch.setattr(f"{__name__}.TRIALS", 12)

    search(ran, tmp_path)

    # keras-tuner pads ids to the width of `max_trials`: "3", then "04".
    assert ran == [f"{n:02d}" for n in range(4, 12)]
    assert {i: r for i, r in results(tmp_path).items() if i in first} == first


def test_every_search_of_tfcourse_is_crash_safe():
    assert isinstance(RandomSearchOracle("val_loss"), CrashSafeOracle)


def test_a_trial_whose_file_is_not_there_has_not_begun(tmp_path):
    search([], tmp_path)
    (tmp_path / "search/trial_3/trial.json").unlink()
    path = tmp_path / "search/oracle.json"
    state = json.loads(path.read_text())
    state["ongoing_trials"] = {"tuner0": "3"}
    state["end_order"].remove("3")
    path.write_text(json.dumps(state))
    ran = []
    search(ran, tmp_path)
    assert ran == ["3"]
    assert len(results(tmp_path)) == TRIALS


@pytest.mark.parametrize(
    "place, value",
    [
        (("hyperparameters", "space", 0, "config", "min_value"), "word"),
        (("hyperparameters", "space", 0, "config", "max_value"), []),
        (("hyperparameters", "values"), {"x": {}}),
        (("hyperparameters", "space", 0, "config", "name"), 3),
        (("start_order", 0), 1.5),
        (("seed_state",), "word"),
        (("tried_so_far",), [[]]),
    ],
)
def test_an_odd_value_in_the_list_of_trials_is_told(tmp_path, place, value):
    search([], tmp_path)
    path = tmp_path / "search/oracle.json"
    path.write_text(
        json.dumps(changed(json.loads(path.read_text()), place, value))
    )

    with pytest.raises(InputError, match=r"oracle\.json is damaged"):
        search([], tmp_path)


@pytest.mark.parametrize("value", ["word", [], float("nan"), 10**400])
def test_a_trial_with_an_odd_value_is_run_again(tmp_path, value):
    search([], tmp_path)
    path = tmp_path / "search/trial_2/trial.json"
    place = "hyperparameters", "values", "x"
    path.write_text(
        json.dumps(changed(json.loads(path.read_text()), place, value))
    )
    ran = []
    search(ran, tmp_path)

    assert ran == ["2"]


def bayesian():
    return keras_tuner.oracles.BayesianOptimizationOracle(
        SCORE, max_trials=4, seed=1
    )


@pytest.mark.parametrize(
    "make, place, value",
    [
        (hyperband, ("factor",), "word"),
        (hyperband, ("factor",), 1),
        # The search would never end.
        (hyperband, ("hyperband_iterations",), 1.5),
        (hyperband, ("brackets", 0), {}),
        (hyperband, ("brackets", 0, "rounds", 0), 1.5),
        (bayesian, ("alpha",), -1),
        (bayesian, ("beta",), []),
        (bayesian, ("alpha",), float("nan")),
    ],
)
def test_an_odd_setting_of_keras_tuner_s_own_oracle_is_told(
    tmp_path, make, place, value
):
    search([], tmp_path, make())
    path = tmp_path / "search/oracle.json"
    state = changed(json.loads(path.read_text()), place, value)
    path.write_text(json.dumps(state))

    with pytest.raises(InputError, match=r"oracle\.json is damaged"):
        search([], tmp_path, make())
