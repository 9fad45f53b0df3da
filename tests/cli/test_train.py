"""`tfcourse train`: one model from a few words, and what is refused."""

import json

import pytest
from run_folders import make_run

from tfcourse.cli import app
from tfcourse.errors import InputError
from tfcourse.runs.hyperparameter_values import best_of, read_hyperparameters
from tfcourse.tuning.panda import read_journal


@pytest.fixture
def train(capsys, monkeypatch):
    """Returns a function that runs the command and gives what it prints."""
    # What it does with the process's own streams is not for a test's.
    monkeypatch.setattr(
        "tfcourse.cli.terminal.quiet.silence_libraries", lambda verbose: None
    )

    def run(*words):
        app(["train", *map(str, words)], standalone_mode=False)
        return capsys.readouterr().out

    return run


@pytest.mark.slow
def test_run_ends_in_a_report_a_model_and_a_journal(tmp_path, train):
    out = tmp_path / "run"
    words = ["--data", "iris", "--hyperparameters", "units=50", "layers=1"]
    words += ["learning_rate=0.01", "--epochs", 2, "--out", out]
    first = train(*words)

    assert "test accuracy" in first
    for name in ("report.html", "model.keras", "model", "run.json"):
        assert (out / name).exists()
    journal = read_journal(out / "panda")
    periods = [entry for entry in journal if entry["kind"] == "period"]
    assert [entry["epoch"] for entry in periods] == [1, 2]
    assert periods[0]["hyperparameters"]["learning_rate"] == 0.01
    # Once more, it tells the same and trains nothing; otherwise, it refuses.
    assert train(*words) == first
    assert read_journal(out / "panda") == journal
    with pytest.raises(InputError, match="started with epochs 2, and is asked"):
        train(*words, "--epochs", 3)


@pytest.mark.parametrize(
    "words, message",
    [
        (["learning_rat=0.1"], r"learning_rat.*learning_rate"),
        (["optimizer=adams"], "value of optimizer.*adam"),
        (["units=60.5"], "units must be a whole number"),
        (["units=many"], "units must be a number"),
        (["0.1"], "'0.1' is not name=value"),
        (["best-of"], "best-of takes one run"),
        (["best-of", "nowhere"], "nowhere"),
        (["nothing.json"], "no file nothing.json"),
        (["--from", "nowhere", "units=60"], "--from takes its hyperparameters"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_written(
    tmp_path, train, words, message
):
    out = tmp_path / "run"
    with pytest.raises(InputError, match=message):
        train("--data", "iris", "--epochs", 1, "--out", out, *words)
    assert not out.exists()


def test_hyperparameters_are_read_from_words_and_files(tmp_path):
    words = ["learning_rate=3e-4", "optimizer=adam", "units=60"]
    expected = {"learning_rate": 3e-4, "optimizer": "adam", "units": 60}
    assert read_hyperparameters(words) == expected

    file = tmp_path / "best.json"
    file.write_text(json.dumps(expected))
    assert read_hyperparameters([str(file)]) == expected
    file.write_text("[1, 2]")
    with pytest.raises(InputError, match="must hold an object"):
        read_hyperparameters([str(file)])


def test_best_of_a_search_is_its_best_trial(tmp_path):
    make_run(tmp_path)
    settings, best = best_of(tmp_path)

    scores = [
        json.loads(path.read_text())["score"]
        for path in tmp_path.glob("search/trial_*/trial.json")
    ]
    assert best.score == max(scores)
    assert settings.data == "digits"
