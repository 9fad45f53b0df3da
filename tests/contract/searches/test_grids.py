"""Is a grid gone through as by keras-tuner, wherever it is declared?"""

import keras
import keras_tuner
import numpy as np
import pytest
from keras_tuner.oracles import GridSearchOracle

from tfcourse.tuning import Caviar, RandomSearchOracle

X, Y = np.ones((4, 2)), np.ones((4, 1))
LOSS = keras_tuner.Objective("loss", "min")


def one(hp):
    hp.Choice("a", [1, 2, 3, 4, 5])


def two(hp):
    hp.Choice("a", [1, 2, 3], default=2)
    hp.Int("b", 0, 2)


def nested(hp):
    hp.Choice("a", ["x", "y", "z"], default="y")
    with hp.conditional_scope("a", ["y", "z"]):
        hp.Boolean("b")
        with hp.conditional_scope("b", [True]):
            hp.Float("c", 0, 1, step=0.5)


def met_late(hp):
    if hp.Choice("a", [1, 2, 3]) == 3:
        hp.Choice("b", [7, 8])


def build(hp):
    hp.Choice("known", [10, 20])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def in_run_trial(base, declare):
    class Tuner(base):
        def run_trial(self, trial, *args, **kwargs):
            declare(trial.hyperparameters)
            return {"loss": 1.0}

    return Tuner, build


def in_fit(base, declare):
    class Space(keras_tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            declare(hp)
            return {"loss": 1.0}

    return base, Space()


def in_build(base, declare):
    def space(hp):
        model = build(hp)
        declare(hp)
        return model

    return base, space


def points(base, where, declare, folder, oracle=None):
    tuner_class, space = where(base, declare)
    tuner = tuner_class(
        oracle=oracle or GridSearchOracle(LOSS),
        hypermodel=space,
        directory=folder,
        project_name="p",
    )
    tuner.search(X, Y, epochs=1, verbose=0)
    trials = tuner.oracle.trials
    return [trials[i].hyperparameters.values for i in tuner.oracle.start_order]


@pytest.mark.parametrize(
    "where, declare",
    [
        (in_run_trial, one),
        pytest.param(in_fit, met_late, marks=pytest.mark.slow),
    ],
)
def test_it_is_keras_tuner_s(tmp_path, where, declare):
    ours = points(Caviar, where, declare, tmp_path / "a")
    assert len(ours) >= 10
    assert ours == points(keras_tuner.Tuner, where, declare, tmp_path / "b")


@pytest.mark.slow
@pytest.mark.parametrize("declare", [one, two, nested, met_late])
@pytest.mark.parametrize("where", [in_run_trial, in_fit, in_build])
def test_it_is_keras_tuner_s_in_all_places(tmp_path, where, declare):
    test_it_is_keras_tuner_s(tmp_path, where, declare)


@pytest.mark.slow
@pytest.mark.parametrize("declare", [one, nested, met_late])
@pytest.mark.parametrize("where", [in_run_trial, in_fit])
def test_it_goes_on_where_it_was_left(tmp_path, where, declare):
    at_once = points(Caviar, where, declare, tmp_path / "a")
    for limit in (1, 4, None):
        oracle = GridSearchOracle(LOSS, limit)
        parts = points(Caviar, where, declare, tmp_path / "b", oracle)
    assert sorted(map(str, parts)) == sorted(map(str, at_once))


def test_what_run_trial_shows_is_drawn_from_then_on(tmp_path):
    def late(hp):
        hp.Float("rate", 0, 1)

    oracle = RandomSearchOracle(LOSS, 6, seed=3)
    drawn = points(Caviar, in_run_trial, late, tmp_path, oracle)
    assert len({point["rate"] for point in drawn}) == 6


def test_a_trial_that_failed_before_it_showed_all_is_no_obstacle(tmp_path):
    calls = []

    def fails_first(hp):
        calls.append(hp)
        if len(calls) == 1:
            raise keras_tuner.FailedTrialError("too early")
        one(hp)

    drawn = points(Caviar, in_run_trial, fails_first, tmp_path)
    assert {point.get("a") for point in drawn[1:]} == {1, 2, 3, 4, 5}
