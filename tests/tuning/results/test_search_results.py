"""A run's folder that is not as it should be: one clear sentence each."""

import json

import pytest
from run_folders import make_run, manifest, write

from tfcourse.errors import InputError
from tfcourse.tuning.results.search_results import read_results
from tfcourse.tuning.results.trials import count_programs, read_groups


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", trials=3)


def complaint(folder):
    with pytest.raises(InputError) as caught:
        read_results(folder).require_completed()
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_whole_run_is_read(run):
    results = read_results(run)

    results.require_completed()
    assert results.name == "digits"
    assert (results.objective, results.direction) == ("val_accuracy", "max")
    assert len(results.records) == len(results.best) == 3
    scores = [record.score for record in results.best]
    assert scores == sorted(scores, reverse=True)


def test_empty_or_missing_folder(tmp_path):
    assert "no run" in complaint(tmp_path)
    assert "no run" in complaint(tmp_path / "none")


@pytest.mark.parametrize("text", ["", '{"settings": {', "null", "[]", "\x00"])
def test_half_written_manifest(run, text):
    (run / "run.json").write_text(text)

    assert "damaged or from another version" in complaint(run)


@pytest.mark.parametrize("key", ["settings", "objective", "data", "versions"])
def test_manifest_with_other_content(run, key):
    content = manifest(3)
    del content[key]
    write(run / "run.json", content)

    assert "another version" in complaint(run)


@pytest.mark.parametrize("version", ["99.0.0", "0.99"])
def test_run_of_a_later_version(run, version):
    content = manifest(3)
    content["versions"]["tfcourse"] = version
    write(run / "run.json", content)

    message = complaint(run)

    assert version in message
    assert "Update tfcourse" in message


@pytest.mark.parametrize("name", ["oracle.json", "groups.json"])
@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"a": [1, 2'])
def test_half_written_file_of_the_search(run, name, text):
    if (name, text) == ("groups.json", "[]"):
        return  # That is what no groups are written as.
    path = run / "search" / name
    path.write_text(text)

    message = complaint(run)

    assert str(path) in message
    assert "damaged" in message


@pytest.mark.parametrize("name", ["trial.json", "history.json"])
@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"score": 10e', None])
def test_a_damaged_trial_hides_no_other(run, name, text):
    path = run / "search" / "trial_01" / name
    path.unlink()
    if text is None:
        path.mkdir()
    else:
        path.write_text(text)

    results = read_results(run)

    assert [record.trial for record in results.records] == ["00", "01", "02"]
    assert {record.trial for record in results.best} == {"00", "02"}
    (damaged,) = results.damaged
    assert damaged.trial == "01"
    assert f"{path} is damaged" in damaged.message


def test_run_that_was_killed_before_its_first_trial(tmp_path):
    (tmp_path / "run").mkdir()
    write(tmp_path / "run" / "run.json", manifest(3, finished=False))

    assert "(0 failed, 0 unfinished)" in complaint(tmp_path / "run")


def test_no_trial_has_completed_yet(tmp_path):
    make_run(tmp_path / "run", trials=3, failed=[0, 1], unfinished=[2])

    message = complaint(tmp_path / "run")

    assert "(2 failed, 1 unfinished)" in message
    assert "diverged: the loss was nan in epoch 2" in message
    assert "tfcourse tune --resume --out" in message


OF_TENSORFLOW = """Traceback (most recent call last):
  File "x.py", line 3, in f
tensorflow.errors.InvalidArgumentError: Graph execution error:

Detected at node cond/Gather defined at (most recent call last):
  File "a.py", line 136, in g

indices[1] = 26 is not in [0, 17)
\t [[{{node cond/Gather}}]]
"""


def test_an_error_of_tensorflow_is_told_by_its_last_line(tmp_path):
    folder = make_run(tmp_path / "run", trials=1, failed=[0])
    path = folder / "search" / "trial_00" / "trial.json"
    write(path, json.loads(path.read_text()) | {"message": OF_TENSORFLOW})

    (record,) = read_results(folder).records

    assert record.message == (
        "tensorflow.errors.InvalidArgumentError: Graph execution error: "
        "indices[1] = 26 is not in [0, 17)"
    )


def test_infinite_score_is_none(tmp_path):
    scores = iter([0.5, float("inf"), float("nan")])
    make_run(tmp_path / "run", trials=3, score=lambda _: next(scores))

    results = read_results(tmp_path / "run")

    assert [record.trial for record in results.best] == ["00"]


def test_hyperparameter_of_several_conditions_is_one_axis(tmp_path):
    def under(parent):
        config = {"name": "optimizer", "values": [parent]}
        return [{"class_name": "Parent", "config": config}]

    bounds = {"sampling": "log", "min_value": 1e-3, "max_value": 0.1}
    space = [
        ("Choice", "optimizer", {"values": ["momentum", "adam"]}),
        ("Float", "rate", {**bounds, "conditions": under("momentum")}),
        (
            "Float",
            "rate",
            {**bounds, "max_value": 1.0, "conditions": under("adam")},
        ),
    ]
    drawn = [{"optimizer": "adam", "rate": 0.5}]
    make_run(tmp_path / "run", space=space, drawn=drawn, score=lambda _: 1.0)

    _, rate = read_results(tmp_path / "run").axes

    assert (rate.low, rate.high) == (1e-3, 1.0)
    assert rate.when == {"optimizer": ["momentum", "adam"]}


def test_objective_of_a_bare_project_is_told_by_its_scores(run):
    results = read_results(run / "search")

    # "accuracy" has the same values; a validation metric is more likely meant.
    assert results.objective == "val_accuracy"
    assert results.manifest == {}
    for path in (run / "search").glob("trial_*/trial.json"):
        state = json.loads(path.read_text())
        write(path, {**state, "status": "RUNNING", "score": None})
    assert "no trial in it has completed" in complaint(run / "search")


def test_groups_of_older_versions_are_programs_of_their_own(tmp_path):
    of_all = {"members": 2, "seconds": 1.0, "why": ""}
    groups = [
        {"trials": ["0", "1"], "how": "vectorised"} | of_all,
        {"trials": ["2", "3"], "how": "alone"} | of_all,
        {"trials": ["4", "5"], "how": "vectorised with a loop"} | of_all,
    ]
    (tmp_path / "groups.json").write_text(json.dumps(groups))
    assert count_programs(read_groups(tmp_path)) == 2
