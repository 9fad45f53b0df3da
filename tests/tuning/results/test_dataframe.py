"""Trials for pandas and Optuna: is each what was drawn, on its scale?"""

import json

import keras_tuner
import numpy as np
import optuna
import pytest
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from run_folders import make_run, score_of

from tfcourse.tuning.results.dataframe import trials_frame
from tfcourse.tuning.results.optuna_study import to_optuna


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "made"
    return make_run(folder, trials=20, failed=[3], unfinished=[19])


def drawn(folder, n):
    path = folder / "search" / f"trial_{n:02}" / "trial.json"
    return json.loads(path.read_text())["hyperparameters"]["values"]


def test_frame_has_a_row_a_trial(run):
    frame = trials_frame(run)

    assert list(frame.columns) == [
        *("trial", "status", "score"),
        *("units", "batch_size", "learning_rate", "optimizer", "beta"),
        *("seconds", "best_epoch", "message"),
    ]
    assert frame["trial"].tolist() == [f"{n:02}" for n in range(20)]
    assert frame["status"].value_counts().to_dict() == {
        "completed": 18,
        "failed": 1,
        "unfinished": 1,
    }
    for n in (0, 7):
        values = drawn(run, n)
        assert frame.loc[n, "learning_rate"] == values["learning_rate"]
        assert frame.loc[n, "score"] == score_of(values)
    assert frame.loc[3, "message"] == "diverged: the loss was nan in epoch 2"
    assert frame.loc[[3, 19], "score"].isna().all()
    assert frame.loc[0, ["seconds", "best_epoch"]].tolist() == [0.5, 3]


def test_frame_shows_beta_and_the_scales(run):
    frame = trials_frame(run)

    momentum = frame["optimizer"] == "momentum"
    assert 0 < momentum.sum() < 20
    assert (frame["beta"].notna() == momentum).all()
    for n in frame.index[momentum]:
        assert frame.loc[n, "beta"] == pytest.approx(
            1 - drawn(run, n)["1 - beta"], abs=1e-12
        )
    assert frame.attrs == {
        "objective": "val_accuracy",
        "direction": "max",
        "scales": {
            "units": "linear",
            "batch_size": "category",
            "learning_rate": "log",
            "optimizer": "category",
            "beta": "one_minus_log",
        },
    }


def test_names_of_the_frames_own_columns_are_told_apart(tmp_path):
    space = [("Float", "score", {"min_value": 0.0, "max_value": 1.0})]
    make_run(
        tmp_path / "run",
        space=space,
        drawn=[{"score": 0.25}],
        score=lambda _: 9,
    )

    frame = trials_frame(tmp_path / "run")

    assert frame["score"].tolist() == [9.0]
    assert frame["hyperparameter score"].tolist() == [0.25]


def test_study_has_the_distributions_that_were_drawn_from(run):
    study = to_optuna(run)

    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    with_beta = next(t for t in study.trials if "1 - beta" in t.params)
    assert with_beta.distributions == {
        "units": IntDistribution(50, 100),
        "batch_size": CategoricalDistribution((32, 64, 128)),
        "learning_rate": FloatDistribution(1e-4, 1.0, log=True),
        "optimizer": CategoricalDistribution(("momentum", "adam")),
        "1 - beta": FloatDistribution(1e-3, 0.1, log=True),
    }
    beta = with_beta.user_attrs["hyperparameters"]["beta"]
    assert beta == pytest.approx(1 - with_beta.params["1 - beta"], abs=1e-12)


def test_study_has_the_ended_trials(run):
    study = to_optuna(run)

    assert len(study.trials) == 19
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE"] * 3 + ["FAIL"] + ["COMPLETE"] * 15
    for n, trial in enumerate(study.trials):
        assert trial.params == drawn(run, n)
        assert trial.user_attrs["trial"] == f"{n:02}"
    scores = trials_frame(run)["score"]
    assert study.best_value == scores.max()
    assert study.best_trial.number == scores.idxmax()
    first = study.trials[0].intermediate_values
    assert list(first) == [1, 2, 3]
    assert first[3] == scores[0]
    assert "diverged" in study.trials[3].user_attrs["message"]


def test_study_has_times_and_names(tmp_path):
    folder = make_run(tmp_path / "run", trials=3)
    path = folder / "search" / "trial_01" / "history.json"
    history = json.loads(path.read_text())
    path.write_text(json.dumps({**history, "ended": 1_700_000_000.25}))

    study = to_optuna(folder)

    assert study.study_name == "digits"
    assert study.metric_names == ["val_accuracy"]
    known, other = study.trials[1], study.trials[2]
    assert known.datetime_complete.timestamp() == 1_700_000_000.25
    assert known.duration.total_seconds() == 0.5
    # Of older searches, when the file was written.
    written = (folder / "search" / "trial_02" / "trial.json").stat().st_mtime
    assert other.datetime_complete.timestamp() == pytest.approx(written)


def test_study_of_a_loss_is_minimized(tmp_path):
    make_run(tmp_path / "run", direction="min")

    assert to_optuna(tmp_path / "run").best_value == pytest.approx(
        trials_frame(tmp_path / "run")["score"].min()
    )


@pytest.mark.parametrize(
    "entry, values, distribution",
    [
        (
            ("Int", "x", {"min_value": 10, "max_value": 55, "step": 10}),
            [20, 50],
            IntDistribution(10, 50, step=10),
        ),
        (
            ("Float", "x", {"min_value": 0.0, "max_value": 1.0, "step": 0.3}),
            [0.3, 0.9],
            FloatDistribution(0.0, 0.9, step=0.3),
        ),
        (
            ("Float", "x", {"min_value": 0.0, "max_value": 1.0, "step": 0.25}),
            [0.5, 0.6],
            FloatDistribution(0.0, 1.0),
        ),
        (
            ("Float", "x", {"min_value": 0.0, "max_value": 1.0}),
            [0.5, 3.0],
            FloatDistribution(0.0, 3.0),
        ),
        (("Boolean", "x", {}), [True], CategoricalDistribution([False, True])),
        (("Fixed", "x", {"value": 3}), [3], CategoricalDistribution([3])),
    ],
    ids=["grid", "float grid", "off the grid", "outside", "boolean", "fixed"],
)
def test_study_of_any_kind_of_hyperparameter(
    tmp_path, entry, values, distribution
):
    make_run(
        tmp_path / "run",
        space=[entry],
        drawn=[{"x": value} for value in values],
        score=lambda values: float(values["x"]),
    )

    study = to_optuna(tmp_path / "run")

    assert [trial.params["x"] for trial in study.trials] == values
    assert study.trials[0].distributions["x"] == distribution


class Parabola(keras_tuner.RandomSearch):
    """keras-tuner's own tuner, on a function."""

    def run_trial(self, trial, *args, **kwargs):
        x = trial.hyperparameters.Float("x", -1, 1)
        return {"loss": x**2, "mse": 1.0}


@pytest.fixture
def tuner(tmp_path):
    tuner = Parabola(
        objective=keras_tuner.Objective("loss", "min"),
        max_trials=4,
        seed=1,
        directory=tmp_path,
        project_name="parabola",
    )
    tuner.search(verbose=0)
    return tuner


@pytest.mark.parametrize("what", ["tuner", "folder"])
def test_a_tuner_and_its_folder_will_do(tuner, what):
    source = tuner if what == "tuner" else tuner.project_dir

    frame = trials_frame(source)

    assert len(frame) == 4
    np.testing.assert_allclose(frame["score"], frame["x"] ** 2)
    assert frame.attrs["objective"] == "loss"
    assert frame.attrs["direction"] == "min"
    assert to_optuna(source).best_value == frame["score"].min()
