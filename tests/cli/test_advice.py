"""Every command that a report advises does what it says when it is pasted."""

import json
import pathlib
import shlex

import numpy as np
import pandas as pd
import pytest

from tfcourse.cli import app
from tfcourse.tuning.report.advice.advice import tune_command
from tfcourse.tuning.report.advice.what_next import what_next
from tfcourse.tuning.results.importance import Importances
from tfcourse.tuning.results.search_results import read_results

pytestmark = pytest.mark.slow

SHORT = ["--trials", "2", "--rounds", "1", "--epochs", "2", "--quiet"]
OWN = """
import keras
def build(hp):
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model = keras.Sequential([keras.Input(({width},)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model
"""
RUNS = {
    "classes": ["--target", "y", "--fix", "units=8"],
    "folds": ["--target", "y", "--folds", "3"],
    "a space of one's own": ["--target", "v", "--space", "own.py:build"],
}


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # What it does with the process's own streams is not for a test's.
    monkeypatch.setattr(
        "tfcourse.cli.terminal.quiet.silence_libraries", lambda verbose: None
    )
    rng = np.random.default_rng(0)
    u = rng.normal(size=90)
    frame = pd.DataFrame(
        {
            "u": u,
            "v": 2 * u + rng.normal(size=90),
            "a group": [f"g{n % 9}" for n in range(90)],
            "y": np.where(u > 0.3, "yes", "no"),
        }
    )
    frame.to_csv("my table.csv", index=False)
    # u; of `a group` nine names and of `y` two.
    (tmp_path / "own.py").write_text(OWN.format(width=12))


@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
def test_every_command_that_is_advised_runs(table, options):
    words = ["tune", "--data", "my table.csv", "--out", "run"]
    app([*words, *options, *SHORT], standalone_mode=False)
    results = read_results("run")
    best = results.best[0].hyperparameters
    shares = dict.fromkeys(best, 0.0)
    none = Importances(shares, dict.fromkeys(best, (0.0, 0.0)), "", "")
    advised = [one.command for one in what_next(results, none) if one.command]
    assert list(advised[-1][1:3]) == ["train", "--from"]
    # And those of what this search did not happen to find.
    changes = [
        {"epochs": 4},
        {"fix": [f"{n}={_exact(value)}" for n, value in best.items()]},
    ]
    if ":" not in results.manifest["settings"]["space"]:
        changes.append({"space": "full"})
    advised += [tune_command(results, **change) for change in changes]

    for number, words in enumerate(dict.fromkeys(advised)):
        given = shlex.split(shlex.join(words))[1:]
        new = given[0] == "tune" and "--resume" not in given
        if new:
            given += [*SHORT, "--out", f"next-{number}"]
        app(given, standalone_mode=False)
        if new:
            path = pathlib.Path(f"next-{number}", "run.json")
            settings = json.loads(path.read_text())["settings"]
            assert settings["target"] == options[1]


def _exact(value):
    return f"{value:.6g}" if isinstance(value, float) else value
