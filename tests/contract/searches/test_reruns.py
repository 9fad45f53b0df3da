"""Is a search on a folder that is not empty a guarded one?"""

import os
import pathlib
import re
import signal
import subprocess
import sys

import keras
import keras_tuner
import pytest
from keras import layers
from side_by_side import compiled, examples

from tfcourse.errors import InputError
from tfcourse.tuning import Caviar, CoarseToFineSearch

X, Y = examples(10)
V = examples(7, seed=1)


def space(low=2, high=6, default=None, activation="tanh", rate=0.1):
    def build(hp):
        units = hp.Int("units", low, high, default=default)
        model = compiled(hp, layers.Dense(units, activation), layers.Dense(1))
        optimizer = keras.optimizers.SGD(rate * hp.get("learning_rate"))
        model.compile(optimizer, "mse", metrics=["mae"])
        return model

    return build


BASE = {
    "build": space(),
    "objective": "val_loss",
    "data": (X, Y),
    "fit": {"epochs": 1, "validation_data": V},
}


def search(folder, changes=None, tuner_class=Caviar, trials=3, **settings):
    given = BASE | (changes or {})
    tuner = tuner_class(
        given["build"],
        keras_tuner.Objective(given["objective"], "min"),
        trials,
        directory=folder,
        project_name="p",
        **settings,
    )
    tuner.search(*given["data"], **{"verbose": 0} | given["fit"])
    return tuner


def state(tuner):
    return {
        path: path.read_bytes()
        for path in pathlib.Path(tuner.project_dir).rglob("*")
        if path.is_file()
    }


OTHER = {
    "objective": ({"objective": "val_mae"}, "objective.*val_mae.*val_loss"),
    "data": ({"data": (X + 1, Y)}, "data|x"),
    "targets": ({"data": (X, Y[::-1])}, "data|y"),
    "fewer examples": ({"data": (X[:8], Y[:8])}, "10|8"),
    "validation data": (
        {"fit": {"epochs": 1, "validation_data": (V[0], V[1] * 2)}},
        "validation_data",
    ),
    "epochs": (
        {"fit": {"epochs": 2, "validation_data": V}},
        "epochs.*1.*2|2.*1",
    ),
    "batch size": (
        {"fit": {"epochs": 1, "validation_data": V, "batch_size": 5}},
        "batch_size",
    ),
    "range": ({"build": space(high=9)}, "units.*9"),
    "range moved": ({"build": space(8, 12)}, "units.*8"),
    "default": ({"build": space(default=3)}, "units"),
    "activation": ({"build": space(activation="relu")}, "space|relu"),
    "constant": ({"build": space(rate=0.2)}, "space|rate"),
}


@pytest.mark.parametrize(
    "tuner_class, name",
    [(Caviar, "data"), (Caviar, "range")]
    + [
        pytest.param(tuner_class, name, marks=pytest.mark.slow)
        for tuner_class, names in [
            (Caviar, OTHER.keys() - {"data", "range"}),
            (CoarseToFineSearch, {"objective", "data"}),
        ]
        for name in sorted(names)
    ],
)
def test_what_has_changed_is_named(tmp_path, name, tuner_class):
    changes, said = OTHER[name]
    before = state(search(tmp_path, tuner_class=tuner_class))
    with pytest.raises(InputError) as raised:
        search(tmp_path, changes, tuner_class)
    message = str(raised.value)
    assert re.search(said, message)
    assert "overwrite=True" in message
    assert "\n" not in message
    after = {p: p.read_bytes() for p in before}
    assert after == before
    assert search(tmp_path, changes, tuner_class, overwrite=True).oracle.trials


def test_an_unchanged_rerun_says_what_is_done(tmp_path, capsys):
    first = search(tmp_path)
    capsys.readouterr()
    again = search(tmp_path, {"fit": BASE["fit"] | {"verbose": 1}})
    best = again.oracle.get_best_trials(1)[0]
    out = "".join(capsys.readouterr())
    assert "3 of 3" in out
    assert f"{best.score:.3g}"[:4] in out
    assert again.oracle.trials.keys() == first.oracle.trials.keys()
    for name, trial in first.oracle.trials.items():
        assert again.oracle.trials[name].score == trial.score


def test_more_trials_go_on(tmp_path):
    first = search(tmp_path)
    more = search(tmp_path, trials=5)
    assert len(more.oracle.trials) == 5
    for name, trial in first.oracle.trials.items():
        assert more.oracle.trials[name].score == trial.score


@pytest.mark.slow
def test_equal_data_and_functions_are_no_change(tmp_path):
    search(tmp_path)
    equal = {"data": (X.copy(), Y.tolist()), "build": space()}
    assert len(search(tmp_path, equal).oracle.trials) == 3


@pytest.mark.slow
def test_a_space_that_has_grown_may_go_on_if_told(tmp_path):
    search(tmp_path)
    grown = {"build": space(high=9)}
    tuner = search(tmp_path, grown, trials=5, allow_changed_space=True)
    assert len(tuner.oracle.trials) == 5


def test_a_space_that_has_shrunk_may_not(tmp_path):
    search(tmp_path)
    with pytest.raises(InputError, match="units"):
        search(tmp_path, {"build": space(high=4)}, allow_changed_space=True)


@pytest.mark.parametrize(
    "tuner_class",
    [Caviar, pytest.param(CoarseToFineSearch, marks=pytest.mark.slow)],
)
def test_a_second_search_on_one_folder_is_refused(tmp_path, tuner_class):
    refusals = []

    def second(tuner, trial):
        with pytest.raises(InputError) as raised:
            search(tmp_path, tuner_class=tuner_class)
        refusals.append(str(raised.value))

    tuner = search(tmp_path, tuner_class=tuner_class, on_trial=second)
    assert len(refusals) == len(tuner.oracle.trials) == 3
    assert "\n" not in refusals[0]
    # Once it has ended, the folder is free.
    search(tmp_path, tuner_class=tuner_class)


def test_a_lock_that_was_left_behind_is_not_in_the_way(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / ".search.lock").write_text("12345")
    assert len(search(tmp_path).oracle.trials) == 3


KILLED = """
import os, pathlib, signal, sys
sys.path[:0] = [{here!r}, {helpers!r}]
import test_reruns

def kill(tuner, trial):
    assert pathlib.Path(tuner.project_dir, ".search.lock").exists()
    os.kill(os.getpid(), signal.SIGKILL)

test_reruns.search({folder!r}, on_trial=kill)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_killed_search_is_not_in_the_way_of_the_next(tmp_path):
    here = pathlib.Path(__file__).parent
    source = KILLED.format(
        here=str(here),
        helpers=str(here.parents[1] / "helpers"),
        folder=str(tmp_path),
    )
    killed = subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (tmp_path / "p" / ".search.lock").exists()
    trials = search(tmp_path).oracle.trials
    assert [trial.status for trial in trials.values()] == ["COMPLETED"] * 3


# tfcourse tune --resume

SPACE = """
import keras

def build(hp):
    hidden = keras.layers.Dense(hp.Int("units", 8, {high}), "{activation}")
    model = keras.Sequential(
        [keras.Input((64,)), hidden, keras.layers.Dense(10, "softmax")]
    )
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model.compile(
        keras.optimizers.SGD(rate), "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
"""


def tfcourse(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-c", "from tfcourse.cli import main; main()"]
        + [str(argument) for argument in arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"high": 24}, {"activation": "tanh"}])
def test_resume_after_the_space_was_edited_is_refused(tmp_path, change):
    source = tmp_path / "space.py"
    as_it_was = {"high": 16, "activation": "relu"}
    source.write_text(SPACE.format(**as_it_was))
    how = ["--space", "space.py:build", "--epochs", 1, "--rounds", 1]
    made = tfcourse(tmp_path, "tune", *how, "--trials", 2, "--out", "r")
    assert made.returncode == 0, made.stderr
    kept = {p: p.read_bytes() for p in tmp_path.glob("r/**/*.keras")}

    source.write_text(SPACE.format(**as_it_was | change))
    more = "tune", "--resume", "--out", "r", "--trials", 3
    refused = tfcourse(tmp_path, *more)
    assert refused.returncode == 2, refused.stdout
    assert "Traceback" not in refused.stderr
    assert next(iter(change)) in ("activation",) or "units" in refused.stderr
    assert {p: p.read_bytes() for p in kept} == kept

    source.write_text(SPACE.format(**as_it_was))
    assert tfcourse(tmp_path, *more).returncode == 0


@pytest.mark.slow
def test_a_path_with_brackets_is_a_path(tmp_path):
    folder = tmp_path / "exp[1]"
    search(folder)
    assert len(search(folder).oracle.trials) == 3
    made = tfcourse(
        tmp_path, "tune", "--epochs", 1, "--trials", 2, "--out", "run[1]"
    )
    assert made.returncode == 0, made.stderr
    assert list((tmp_path / "run[1]").glob("*.keras"))
