"""Caviar's failures: do those that fail take no others with them?"""

import fake_training
import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning.caviar.tuner import Caviar

OBJECTIVE = keras_tuner.Objective("val_loss", "min")


def caviar(folder, space=fake_training.build, trials=4, **kwargs):
    return Caviar(
        space, OBJECTIVE, trials, directory=folder, project_name="p", **kwargs
    )


def search(tuner, **kwargs):
    x = np.array([[1.0], [2.0]], "float32")
    data = {"validation_data": (x, x), "verbose": 0}
    tuner.search(x, x, **data | kwargs)
    return tuner


def statuses(tuner):
    trials = tuner.oracle.trials
    return [trials[i].status for i in sorted(trials)]


def diverged(epoch, value):
    history = fake_training.history([1.0] * epoch + [value])
    history.diverged_epoch, history.diverged_value = epoch, value
    history.best_epoch = epoch - 1 if epoch else None
    return history


def test_diverged_trials_have_failed_and_say_when(tmp_path, monkeypatch):
    outcomes = {
        "0": fake_training.history([2.0, 1.0]),
        "1": diverged(2, float("inf")),
        "2": diverged(0, float("nan")),
        "3": fake_training.history([3.0]),
    }
    fake_training.install(monkeypatch, lambda trial: outcomes[trial.trial_id])
    tuner = search(caviar(tmp_path))

    trials = tuner.oracle.trials
    assert statuses(tuner) == ["COMPLETED", "FAILED", "FAILED", "COMPLETED"]
    assert "diverged: the loss was inf in epoch 3" in trials["1"].message
    assert "diverged: the loss was nan in epoch 1" in trials["2"].message
    assert (trials["0"].score, trials["0"].best_step) == (1.0, 1)


def test_most_may_diverge(tmp_path, monkeypatch):
    def outcome(trial):
        good = trial.trial_id == "7"
        return fake_training.history([1.0]) if good else diverged(1, np.inf)

    fake_training.install(monkeypatch, outcome)
    oracle = keras_tuner.oracles.RandomSearchOracle(OBJECTIVE, 8, seed=1)
    assert oracle.max_consecutive_failed_trials == 3
    tuner = search(caviar(tmp_path, oracle=oracle))
    assert statuses(tuner) == ["FAILED"] * 7 + ["COMPLETED"]


def test_batches_of_failures_end_the_search_if_the_oracle_says(
    tmp_path, monkeypatch
):
    ran = fake_training.install(monkeypatch, lambda trial: diverged(1, np.inf))
    oracle = keras_tuner.oracles.RandomSearchOracle(OBJECTIVE, 8, seed=1)
    with pytest.raises(RuntimeError, match="last 4 trials failed.*allows 2"):
        search(caviar(tmp_path, oracle=oracle, population=2))
    assert len(ran) == 2


@pytest.mark.parametrize("population", [1, 3, 64])
def test_when_all_diverge_the_error_names_the_rates(
    tmp_path, monkeypatch, population
):
    fake_training.install(monkeypatch, lambda trial: diverged(1, np.inf))
    tuner = caviar(tmp_path, population=population)
    with pytest.raises(InputError) as raised:
        search(tuner)

    trials = tuner.oracle.trials.values()
    rates = [trial.hyperparameters.get("learning_rate") for trial in trials]
    assert str(raised.value) == (
        "None of the 4 trials completed. The first one: diverged: the loss was "
        f"inf in epoch 2. learning_rate was between {min(rates):.3g} and "
        f"{max(rates):.3g}."
    )


def raising(hp):
    if hp.Choice("bad", [False, True]):
        raise ValueError("no such network")
    return fake_training.build(hp)


def test_a_build_that_raises_fails_its_trial_only(tmp_path, monkeypatch):
    ran = fake_training.install(monkeypatch)
    # The first build of all, before the search, is that of the defaults.
    tuner = search(caviar(tmp_path, raising, 6))

    trials = tuner.oracle.trials
    bad = [i for i, t in trials.items() if t.hyperparameters.get("bad")]
    assert 0 < len(bad) < 6
    assert sorted([*bad, *ran[0]]) == sorted(trials)
    for i, trial in trials.items():
        assert trial.status == ("FAILED" if i in bad else "COMPLETED")
        if i in bad:
            assert "ValueError: no such network" in trial.message
    (why,) = [g["why"] for g in tuner.groups if g["how"] == "alone"]
    assert why == "its model cannot be built: ValueError: no such network"


def test_the_first_point_need_not_be_buildable(tmp_path, monkeypatch):
    fake_training.install(monkeypatch)

    def space(hp):
        if hp.Int("units", 1, 9) < 4:
            raise ValueError("too narrow")
        return fake_training.build(hp)

    tuner = search(caviar(tmp_path, space, 9))
    for trial in tuner.oracle.trials.values():
        narrow = trial.hyperparameters.get("units") < 4
        assert trial.status == ("FAILED" if narrow else "COMPLETED")
    assert set(statuses(tuner)) == {"FAILED", "COMPLETED"}

    def never(hp):
        raise ValueError(f"not with {hp.Int('units', 1, 9)}")

    with pytest.raises(ValueError, match="not with "):
        caviar(tmp_path / "never", never)


def test_out_of_memory_halves_and_goes_on(tmp_path, monkeypatch):
    ran = fake_training.install(monkeypatch, most=2)
    tuner = search(caviar(tmp_path, trials=7))

    assert ran == [["0", "1"], ["2", "3"], ["4", "5"], ["6"]]
    assert statuses(tuner) == ["COMPLETED"] * 7
    assert {group["how"] for group in tuner.groups} == {"vectorised"}
    assert tuner.groups[0]["why"] == (
        "there was not enough memory for 4 trials at once"
    )


class Watching(keras.callbacks.Callback):
    """Needs a model to watch."""


@pytest.mark.slow
def test_callbacks_run_alone_with_the_reason(tmp_path, caplog):
    tuner = search(caviar(tmp_path, trials=2), callbacks=[Watching()])

    assert statuses(tuner) == ["COMPLETED"] * 2
    (group,) = tuner.groups
    assert (group["how"], group["members"]) == ("alone", 2)
    assert group["why"] == "the callback Watching needs a live model"
    lines = [r.message for r in caplog.records if "Watching" in r.message]
    assert len(lines) == 1


@pytest.mark.parametrize(
    "settings, why",
    [
        ({"max_model_size": 9}, "a `max_model_size` is given"),
        (
            {
                "oracle": keras_tuner.oracles.RandomSearchOracle(
                    ["val_loss", "loss"], 2
                )
            },
            "its objective is not one metric",
        ),
    ],
)
def test_what_groups_cannot_do_runs_alone(tmp_path, monkeypatch, settings, why):
    tuner = caviar(tmp_path, trials=2, **settings)
    results = {"val_loss": 1.0, "loss": 1.0, "multi_objective": 1.0}
    monkeypatch.setattr(
        keras_tuner.Tuner, "run_trial", lambda *_, **__: [results]
    )
    search(tuner)
    assert [(g["how"], g["why"]) for g in tuner.groups] == [("alone", why)]


def test_hooks_of_a_subclass_run_alone(tmp_path, monkeypatch):
    class Hooked(Caviar):
        def on_epoch_end(self, *args, **kwargs):
            pass

    monkeypatch.setattr(
        keras_tuner.Tuner, "run_trial", lambda *_, **__: [{"val_loss": 1.0}]
    )
    tuner = Hooked(fake_training.build, OBJECTIVE, 1, directory=tmp_path)
    search(tuner)
    assert tuner.groups[0]["why"] == "the tuner overrides `on_epoch_end`"


def test_refuses_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="`population` of Caviar.*Received.*0"):
        caviar(tmp_path, population=0)
    with pytest.raises(ValueError, match="needs a `hypermodel`"):
        caviar(tmp_path, space=None)
