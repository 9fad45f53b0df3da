"""The tuner: rounds that train as one program, and a budget on disk."""

import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import checkpoint_path
from tfcourse.tuning.caviar.coarse_to_fine_search import CoarseToFineSearch
from tfcourse.tuning.oracles.coarse_to_fine import read_rounds
from tfcourse.tuning.search_space.scales import log_uniform
from tfcourse.tuning.tuners.serial import SerialTuner

OBJECTIVE = keras_tuner.Objective("loss", "min")


def build(hp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    rate = log_uniform(hp, "learning_rate", 1e-4, 1e-1)
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def tuner(folder, trials=10, **kwargs):
    return CoarseToFineSearch(
        build, OBJECTIVE, trials, directory=folder, project_name="p", **kwargs
    )


def search(tuned):
    x = np.eye(3, dtype="float32")
    tuned.search(x, np.ones((3, 1)), epochs=2, verbose=0)
    return tuned


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return search(tuner(folder, rounds=2, keep_models=3))


@pytest.mark.slow
def test_each_round_is_one_program(whole):
    rounds = read_rounds(whole.project_dir)
    assert [len(r["trials"]) for r in rounds] == [4, 6]
    assert [g["trials"] for g in whole.groups] == [r["trials"] for r in rounds]
    assert {g["how"] for g in whole.groups} == {"vectorised"}


@pytest.mark.slow
def test_only_the_best_models_are_kept(whole):
    best = whole.oracle.get_best_trials(10)
    kept = [
        trial.trial_id
        for trial in best
        if checkpoint_path(whole, trial.trial_id).exists()
    ]
    assert kept == [trial.trial_id for trial in best[:3]]

    assert len(whole.get_best_models(3)) == 3
    with pytest.raises(InputError, match=f"trial {best[3].trial_id} .*best 3"):
        whole.get_best_models(4)


@pytest.mark.slow
def test_budget_holds_for_a_search_that_goes_on(tmp_path):
    search(tuner(tmp_path, 4, rounds=1))
    more = search(tuner(tmp_path, 6, rounds=1, keep_models=1))

    best, *others = more.oracle.get_best_trials(6)
    assert checkpoint_path(more, best.trial_id).exists()
    assert not any(checkpoint_path(more, t.trial_id).exists() for t in others)


def test_initial_point_is_checked_before_the_search(tmp_path):
    with pytest.raises(InputError, match="'learning_rate' .*learning_rate=1"):
        tuner(tmp_path, initial_points=[{"learning_rate": 1}])


def test_arguments_reach_the_oracle(tmp_path):
    found = tuner(
        tmp_path,
        rounds=3,
        trials_per_round=2,
        shrink=0.5,
        explore=0,
        target=0.5,
        time_limit=9,
        max_retries_per_trial=2,
        seed=None,
        population=7,
    ).oracle
    assert (found.rounds, found.trials_per_round, found.shrink) == (3, 2, 0.5)
    assert (found.explore, found.target, found.time_limit) == (0, 0.5, 9)
    assert found.max_retries_per_trial == 2
    assert found.seed >= 0


@pytest.mark.parametrize(
    "number, error", [(0, ValueError), (-1, ValueError), (2.5, TypeError)]
)
def test_bad_budget_is_refused(tmp_path, number, error):
    with pytest.raises(error, match=f"`keep_models` .*={number}"):
        tuner(tmp_path, keep_models=number)


def test_budget_is_refused_for_hyperband(tmp_path):
    oracle = keras_tuner.oracles.HyperbandOracle(OBJECTIVE)
    with pytest.raises(ValueError, match="with Hyperband"):
        SerialTuner(oracle, build, keep_models=2, directory=tmp_path)
