"""Caviar's trials: are they those that an oracle would give one by one?"""

import fake_training
import keras_tuner
import numpy as np
import pytest
from keras_tuner import oracles

from tfcourse.tuning import RandomSearchOracle, SerialTuner
from tfcourse.tuning.caviar.steps import trial_requests
from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.utils.atomic_files import read_json

OBJECTIVE = keras_tuner.Objective("val_loss", "min")


class Untrained(SerialTuner):
    """Builds trials one by one, and scores them as `untrained` does."""

    def run_trial(self, trial, **_):
        self._build_hypermodel(trial.hyperparameters)
        return {"val_loss": fake_training.score(trial.hyperparameters)}


def conditional(hp):
    if hp.Choice("kind", ["plain", "deep"]) == "deep":
        with hp.conditional_scope("kind", ["deep"]):
            hp.Int("depth", 2, 9)
    return fake_training.build(hp)


def search(folder, oracle, space=fake_training.build, population=4, **kwargs):
    tuner = Caviar(
        space,
        oracle=oracle,
        population=population,
        directory=folder,
        project_name="p",
        **kwargs,
    )
    tuner.search(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
    return tuner


def one_by_one(folder, oracle, space):
    tuner = Untrained(oracle, space, directory=folder, project_name="p")
    tuner.search(verbose=0)
    return tuner


def values(tuner):
    trials = tuner.oracle.trials
    return [trials[i].hyperparameters.values for i in sorted(trials)]


@pytest.mark.parametrize("space", [fake_training.layered, conditional])
def test_random_trials_are_those_of_a_serial_search(
    tmp_path, monkeypatch, space
):
    fake_training.install(monkeypatch)
    ours = search(tmp_path / "a", RandomSearchOracle(OBJECTIVE, 9), space, 9)
    serial = one_by_one(tmp_path / "b", RandomSearchOracle(OBJECTIVE, 9), space)

    assert values(ours) == values(serial)
    if space is fake_training.layered:
        # The first to meet it took the default; those after it drew.
        late = [v["units_1"] for v in values(ours) if "units_1" in v]
        assert len(set(late)) > 1


@pytest.mark.parametrize("space", [fake_training.layered, conditional])
def test_grid_is_gone_through_as_one_by_one(tmp_path, monkeypatch, space):
    def grid():
        # `learning_rate` has one value: it is not what is gone through.
        hp = keras_tuner.HyperParameters()
        hp.Fixed("learning_rate", 0.01)
        return oracles.GridSearchOracle(OBJECTIVE, hyperparameters=hp)

    ran = fake_training.install(monkeypatch)
    ours = search(tmp_path / "a", grid(), space, population=5)
    serial = one_by_one(tmp_path / "b", grid(), space)

    assert len(values(serial)) >= 9
    assert sorted(map(str, values(ours))) == sorted(map(str, values(serial)))
    # keras-tuner's grid gives two at once at most.
    assert [len(part) for part in ran[:-1]] == [5] * (len(ran) - 1)


def test_bayesian_search_guesses_no_more_than_it_knows(tmp_path, monkeypatch):
    ran = fake_training.install(monkeypatch)
    oracle = oracles.BayesianOptimizationOracle(
        OBJECTIVE, 5, num_initial_points=3, seed=1
    )
    tuner = search(tmp_path, oracle, population=64)

    assert [len(part) for part in ran] == [3, 2]
    assert {t.status for t in tuner.oracle.trials.values()} == {"COMPLETED"}


@pytest.mark.slow
def test_hyperband_goes_on_from_its_own_weights(tmp_path, rng):
    x = rng.normal(size=(32, 1)).astype("float32")

    def build(hp):
        model = fake_training.build(hp)
        model.optimizer.learning_rate = 0.05
        return model

    tuner = Caviar(
        build,
        oracle=oracles.HyperbandOracle(
            keras_tuner.Objective("loss", "min"), max_epochs=4, factor=2, seed=1
        ),
        directory=tmp_path,
        project_name="p",
    )
    tuner.search(x, 3 * x, verbose=0, shuffle=False)

    trials = tuner.oracle.trials
    assert {trial.status for trial in trials.values()} == {"COMPLETED"}
    assert {group["how"] for group in tuner.groups} == {"vectorised"}
    gone_on = 0
    for trial in trials.values():
        values = trial.hyperparameters.values
        curve = losses(tmp_path, trial)
        begin, end = values["tuner/initial_epoch"], values["tuner/epochs"]
        assert len(curve) == end - begin
        if "tuner/trial_id" in values:
            before = losses(tmp_path, trials[values["tuner/trial_id"]])
            # It begins where the other one ended, not anew.
            assert curve[0] < before[-1]
            gone_on += 1
    # Of the brackets that begin with 1 and with 2 epochs.
    assert gone_on >= 4


def losses(folder, trial):
    path = folder / f"p/trial_{trial.trial_id}/history.json"
    return read_json(path)["history"]["loss"]


class Waiting(RandomSearchOracle):
    """Is idle before each trial, and gives no second one at once."""

    asked = 0

    def populate_space(self, trial_id):
        self.asked += 1
        if self.asked % 3:
            return {"status": "IDLE"}
        return super().populate_space(trial_id)


def test_idle_oracle_is_asked_again(tmp_path, monkeypatch):
    ran = fake_training.install(monkeypatch)
    naps = []
    monkeypatch.setattr(trial_requests.time, "sleep", naps.append)
    search(tmp_path, Waiting(OBJECTIVE, 4), population=3)

    assert ran == [["0"], ["1"], ["2"], ["3"]]
    # It neither spins nor waits while there is something to do.
    assert len(naps) == 5


def test_trials_without_end_go_on_in_batches(tmp_path, monkeypatch):
    ran = fake_training.install(monkeypatch)
    search(tmp_path, RandomSearchOracle(OBJECTIVE, 7), population=3)
    assert [len(part) for part in ran] == [3, 3, 1]


def test_refuses_what_is_no_oracle(tmp_path):
    with pytest.raises(TypeError, match="`oracle` of Caviar.*'random'"):
        search(tmp_path, "random")


def test_used_up_space_ends_the_search(tmp_path, monkeypatch):
    ran = fake_training.install(monkeypatch)

    def small(hp):
        hp.Choice("learning_rate", [0.1, 0.2])
        return fake_training.build(hp)

    tuner = search(tmp_path, RandomSearchOracle(OBJECTIVE, 9), small)
    assert ran == [["0", "1"]]
    assert sorted(v["learning_rate"] for v in values(tuner)) == [0.1, 0.2]
