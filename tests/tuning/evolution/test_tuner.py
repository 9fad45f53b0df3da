"""Evolution as a whole: repeatable, replayable, better than no evolution?"""

import itertools

import keras
import numpy as np
import pytest

from tests.tuning.evolution.searches import (
    FIT,
    NAMED,
    X,
    Y,
    of_keras,
    of_tfcourse,
    rate_only,
    searched,
)
from tfcourse.errors import InputError
from tfcourse.tuning import (
    Evolution,
    RandomSearchOracle,
)


def assert_replays(tuner):
    """Compares each member that others came of, trained alone."""
    trials = tuner.oracle.get_best_trials(8)
    schedules = [tuner.schedule(trial.trial_id) for trial in trials]
    longest = max(range(8), key=lambda i: len(schedules[i].starts))
    # Its own would be the start of it only.
    assert len(schedules[longest].starts) > 1
    model = tuner.replay(schedules[longest])
    kept = tuner.load_model(trials[longest])
    for own, other in zip(model.weights, kept.weights, strict=True):
        np.testing.assert_allclose(
            np.asarray(own), np.asarray(other), rtol=2e-4, atol=2e-5
        )
    values = model.evaluate(X[16:], Y[16:], verbose=0, return_dict=True)
    np.testing.assert_allclose(values["loss"], trials[longest].score, rtol=2e-4)


def test_a_schedule_replayed_by_fit_gives_the_members_weights(tmp_path):
    assert_replays(searched(tmp_path, of_keras))


@pytest.mark.slow
@pytest.mark.parametrize("fit", [{"shuffle": False}, {"steps_per_epoch": 1}])
def test_it_does_so_whatever_the_order_of_examples(tmp_path, fit):
    assert_replays(searched(tmp_path, rate_only, fit=fit))


def test_epochs_of_unlike_length_are_not_replayed(tmp_path):
    tuner = searched(tmp_path, epochs=2, fit={"steps_per_epoch": 2})
    with pytest.raises(InputError, match="16 examples are 3 mini-batches"):
        tuner.replay()


@pytest.mark.slow
def test_it_does_so_with_hyperparameters_of_tfcourse(tmp_path):
    assert_replays(searched(tmp_path, of_tfcourse, interval=2))


def test_a_trial_ends_with_the_hyperparameters_of_its_best_epoch(tmp_path):
    tuner = searched(tmp_path, epochs=4)
    best = tuner.oracle.get_best_trials(1)[0]
    schedule = tuner.schedule()
    rate = best.hyperparameters.values["learning_rate"]
    assert rate == schedule.of("learning_rate")[-1]
    optimizer = tuner.get_best_models(1)[0].optimizer
    np.testing.assert_allclose(float(optimizer.learning_rate), rate, 1e-6)

    again = Evolution(rate_only, "val_loss", 8, directory=tmp_path, **NAMED)
    assert again.schedule() == schedule
    again.search(X[:16], Y[:16], **FIT)
    assert again.schedule() == schedule
    with pytest.raises(InputError, match="`replay` needs the data"):
        Evolution(rate_only, "val_loss", 8, directory=tmp_path, **NAMED).replay(
            schedule
        )


def test_a_search_that_has_ended_knows_its_rules(tmp_path):
    searched(tmp_path, epochs=2, population=4)
    again = {"population": 4, "directory": tmp_path, "overwrite": False}
    other = Evolution(rate_only, "val_loss", interval=2, **again, **NAMED)
    with pytest.raises(InputError, match="has ended, with interval=1"):
        other.search(X[:16], Y[:16], **FIT | {"epochs": 2})


def test_an_oracle_begins_as_many_as_there_are_members(tmp_path):
    oracle = RandomSearchOracle("val_loss", 20, seed=1)
    tuner = searched(tmp_path, epochs=2, population=4, oracle=oracle)
    assert len(tuner.oracle.trials) == 4
    tuner.search(X[:16], Y[:16], **FIT | {"epochs": 2})
    assert len(tuner.oracle.trials) == 4


def test_a_seed_gives_the_same_and_another_gives_another(tmp_path):
    one, two, other = (
        searched(tmp_path / name, seed=seed)
        for name, seed in (("one", 3), ("two", 3), ("other", 4))
    )
    assert one.ancestry.generations == two.ancestry.generations
    assert one.ancestry.generations != other.ancestry.generations
    assert scores(one) == scores(two)


def scores(tuner):
    return [trial.score for trial in tuner.oracle.get_best_trials(8)]


def test_the_worst_are_replaced_after_each_interval(tmp_path):
    tuner = searched(tmp_path, interval=2, epochs=7)
    generations = tuner.ancestry.generations
    assert [g.epoch for g in generations] == [0, 2, 4, 6]
    for before, now in itertools.pairwise(generations):
        changed = [k for k in range(8) if now.sources[k] != k]
        assert len(changed) == 2
        for k in set(range(8)) - set(changed):
            assert now.values[k] == before.values[k]


@pytest.mark.slow
def test_it_finds_a_rate_that_no_member_began_with(tmp_path):
    """All members begin with rates that are far too low."""
    rates = [{"learning_rate": 10 ** (-5 + k / 7)} for k in range(8)]
    settings = {"epochs": 20, "resample": 0.0, "quantile": 0.5}
    results = {}
    for interval in (1, 100):
        tuner = searched(
            tmp_path / str(interval),
            **{**settings, "interval": interval},
            oracle=RandomSearchOracle("val_loss", 8, initial_points=rates),
        )
        results[interval] = min(scores(tuner))
        if interval == 1:
            found = tuner.schedule().of("learning_rate")
    assert found[0] < 1.1e-4
    assert found[-1] > 1e-3
    assert results[1] < 0.7 * results[100]


def test_members_that_diverge_go_on_as_others(tmp_path):
    def build(hp):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        rate = hp.Float("learning_rate", 1e-3, 1e9, sampling="log")
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    rates = [0.05, 0.1, *(1e7 * k for k in range(1, 7))]
    tuner = searched(
        tmp_path,
        build,
        epochs=8,
        interval=4,
        perturb=0.01,
        resample=0.0,
        oracle=RandomSearchOracle(
            "val_loss",
            8,
            initial_points=[{"learning_rate": rate} for rate in rates],
        ),
    )
    first = tuner.ancestry.generations[1]
    assert {*first.sources} == {0, 1}
    trials = list(tuner.oracle.trials.values())
    assert [trial.status for trial in trials] == ["COMPLETED"] * 8
    # The best epoch is one in which the member was trained.
    assert all(trial.best_step > 3 for trial in trials[2:])
    assert np.isfinite(scores(tuner)).all()
