"""A command on a run of another kind names the command for that kind."""

import sys

import pytest
from run_folders import make_run

from tfcourse.cli import main
from tfcourse.tuning.panda.control.run_folder import publish
from tfcourse.tuning.results.manifest import write_manifest


@pytest.fixture
def refused(capsys, monkeypatch):
    """Returns a function that runs what is refused and gives the sentence."""
    # What it does with the process's own streams is not for a test's.
    monkeypatch.setattr(
        "tfcourse.cli.terminal.quiet.silence_libraries", lambda verbose: None
    )

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["tfcourse", *map(str, words)])
        with pytest.raises(SystemExit) as exit_:
            main()
        assert exit_.value.code == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
        return err

    return run


@pytest.fixture
def training(tmp_path):
    """Returns the folder of `tfcourse train`, before it has begun."""
    folder = tmp_path / "training"
    empty = {"settings": {}, "objective": {}, "data": {}}
    write_manifest(folder, "training", **empty)
    return folder


@pytest.mark.parametrize("command", ["best", "trials", "report", "compare"])
def test_of_a_training_there_are_no_trials(training, refused, command):
    folders = [training] * (2 if command == "compare" else 1)

    sentence = refused(command, *folders)

    assert f"`tfcourse panda status {training}`" in sentence
    assert f"`tfcourse predict {training}/model TABLE`" in sentence


@pytest.mark.parametrize("command", ["best", "trials", "report", "compare"])
def test_of_what_panda_watches_there_are_no_trials(tmp_path, refused, command):
    publish(tmp_path, {})
    folders = [tmp_path] * (2 if command == "compare" else 1)

    assert f"`tfcourse panda status {tmp_path}`" in refused(command, *folders)


def test_a_search_is_not_watched_by_panda(tmp_path, refused):
    folder = make_run(tmp_path / "run", trials=1)

    assert f"`tfcourse trials {folder}`" in refused("panda", "status", folder)


def test_a_training_is_not_watched_before_it_has_begun(training, refused):
    sentence = refused("panda", "status", training)

    assert f"`tfcourse train --out {training}`" in sentence


def test_a_training_does_not_go_on_as_a_search(training, refused):
    sentence = refused("tune", "--resume", "--out", training)

    assert f"`tfcourse train --out {training}`" in sentence


def test_a_search_does_not_go_on_as_a_training(tmp_path, refused):
    folder = make_run(tmp_path / "run", trials=1)

    sentence = refused("train", "--data", "iris", "--out", folder)

    assert f"`tfcourse tune --resume --out {folder}`" in sentence
