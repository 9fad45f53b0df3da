"""keras-tuner's undocumented names: does the installed one have each still?"""

import contextlib
import pathlib
import types

import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning import _keras_tuner
from tfcourse.tuning._keras_tuner import TrialStatus
from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.tuning.results.trials import trial_order

X = np.ones((1, 1))
TUNER = (
    "_activate_all_conditions",
    "_build_and_fit_model",
    "_build_hypermodel",
    "_get_build_config_fname",
    "_get_checkpoint_fname",
    "_get_tuner_fname",
    "_populate_initial_space",
    "_run_and_update_trial",
    "_try_run_and_update_trial",
)
ORACLE = (
    "_duplicate",
    "_get_oracle_fname",
    "_get_trial_dir",
    "_record_values",
    "_retry_queue",
    "_save_trial",
)
GRID = ("_ordered_ids", "_populate_next")


def build(hp):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Float("rate", 0.1, 1.0)), "mse")
    return model


@pytest.fixture
def tuner(tmp_path):
    return keras_tuner.RandomSearch(
        build,
        keras_tuner.Objective("loss", "min"),
        max_trials=20,
        directory=tmp_path,
        project_name="p",
    )


@pytest.fixture
def oracle(tuner):
    tuner.oracle.verbose = 0
    return tuner.oracle


@pytest.mark.parametrize("name", TUNER)
def test_tuners_have(name):
    assert callable(getattr(keras_tuner.Tuner, name))


@pytest.mark.parametrize("name", ORACLE)
def test_oracles_have(name):
    oracle = keras_tuner.oracles.RandomSearchOracle("val_loss")
    assert hasattr(oracle, name)


@pytest.mark.parametrize("name", GRID)
def test_grids_have(name):
    oracle = keras_tuner.oracles.GridSearchOracle("val_loss")
    assert hasattr(oracle, name)


def test_kinds_of_hyperparameters():
    hp = keras_tuner.HyperParameters()
    hp.Int("a", 1, 3), hp.Float("b", 0.0, 1.0), hp.Choice("c", [1, 2])
    hp.Boolean("d"), hp.Fixed("e", 1)
    kinds = _keras_tuner.hyperparameters
    expected = [kinds.Int, kinds.Float, kinds.Choice, kinds.Boolean]
    assert list(map(type, hp.space)) == [*expected, kinds.Fixed]


def test_files_lie_where_they_are_written(tuner, oracle):
    trial = oracle.create_trial("tuner0")
    folder = _keras_tuner.trial_folder(oracle, trial.trial_id)
    assert type(trial) is _keras_tuner.Trial
    assert trial.status == TrialStatus.RUNNING
    assert _keras_tuner.oracle_path(oracle).is_file()
    assert (folder / "trial.json").is_file()
    assert folder == pathlib.Path(tuner.get_trial_dir(trial.trial_id))
    _keras_tuner.run_and_report(tuner, trial, X, X, verbose=0)
    tuner.on_trial_end(trial)
    assert _keras_tuner.tuner_path(tuner).is_file()
    assert _keras_tuner.checkpoint_path(tuner, trial.trial_id).is_file()
    assert _keras_tuner.build_config_path(tuner, trial.trial_id).is_file()
    assert oracle.get_trial(trial.trial_id).status == TrialStatus.COMPLETED


def test_the_epoch_to_keep_is_chosen_by_an_objective(tuner, tmp_path):
    objective = keras_tuner.Objective("loss", "min")
    callback = _keras_tuner.SaveBestEpoch(objective, str(tmp_path / "w"))
    assert callback.objective is objective
    callbacks = []
    tuner.hypermodel.fit = lambda hp, model, *_, **given: callbacks.extend(
        given["callbacks"]
    )
    with contextlib.suppress(TypeError):
        tuner.run_trial(tuner.oracle.create_trial("0"), X, X)
    kinds = [type(callback) for callback in callbacks]
    assert kinds.count(_keras_tuner.SaveBestEpoch) == 1


def test_ids_sort_by_number(oracle):
    ids = [oracle.create_trial(f"tuner{n}").trial_id for n in range(3)]
    assert ids == ["00", "01", "02"]
    assert sorted(["10", "9", "100"], key=trial_order) == ["9", "10", "100"]


def test_tried_values_are_known(oracle):
    trial = oracle.create_trial("tuner0")
    assert _keras_tuner.was_tried(oracle, trial.hyperparameters.values)
    trial.hyperparameters.values = {"rate": 2.0}
    assert not _keras_tuner.was_tried(oracle, {"rate": 2.0})
    _keras_tuner.mark_tried(oracle, trial)
    assert _keras_tuner.was_tried(oracle, {"rate": 2.0})


def test_retried_trials_come_from_the_end_of_the_queue(oracle):
    first, second = (oracle.create_trial(f"tuner{n}") for n in range(2))
    _keras_tuner.set_retry_queue(oracle, [second.trial_id, first.trial_id])
    assert oracle.create_trial("tuner2").trial_id == first.trial_id


def test_a_chief_is_told_by_the_environment(monkeypatch):
    assert not _keras_tuner.has_chief()
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    assert _keras_tuner.has_chief()
    with pytest.raises(InputError, match="RayExecutor"):
        Caviar(lambda hp: None, "loss")


def raising(error):
    def results(trial):
        raise error

    return results


@pytest.mark.parametrize(
    "results, status",
    [
        (lambda trial: {"loss": 0.5}, TrialStatus.COMPLETED),
        (lambda trial: [{"loss": 0.25}, {"loss": 0.75}], TrialStatus.COMPLETED),
        (raising(ValueError("no")), TrialStatus.INVALID),
        (
            raising(keras_tuner.errors.FailedTrialError("diverged")),
            TrialStatus.FAILED,
        ),
    ],
    ids=["one", "several", "error", "failed"],
)
def test_results_are_reported_as_a_tuner_does(oracle, results, status):
    reported = oracle.create_trial("tuner0")
    _keras_tuner.report_results(oracle, reported, results)
    run = oracle.create_trial("tuner1")
    stand_in = types.SimpleNamespace(oracle=oracle, run_trial=results)
    for name in ("_run_and_update_trial", "_try_run_and_update_trial"):
        method = getattr(keras_tuner.Tuner, name)
        setattr(stand_in, name, types.MethodType(method, stand_in))
    _keras_tuner.run_and_report(stand_in, run)

    assert reported.status == run.status == status
    assert reported.metrics.get_config() == run.metrics.get_config()
    last = [str(t.message).strip().split("\n")[-1] for t in (reported, run)]
    assert last[0] == last[1]


def test_a_fatal_error_is_not_a_trial_that_failed(oracle):
    trial = oracle.create_trial("tuner0")
    fatal = raising(keras_tuner.errors.FatalError("stop"))
    with pytest.raises(keras_tuner.errors.FatalError, match="stop"):
        _keras_tuner.report_results(oracle, trial, fatal)


def test_hooks_are_called(tmp_path):
    calls = []

    class Tuner(_keras_tuner.TunerHooks):
        def explore_space(self):
            calls.append("explore")
            super().explore_space()

        def on_execution_begin(self, trial):
            calls.append(f"execution of {trial.trial_id}")

        def on_model_built(self, model, hp):
            calls.append(f"model of rate {hp.get('rate')}")

    class Oracle(
        _keras_tuner.OracleHooks, keras_tuner.oracles.RandomSearchOracle
    ):
        def write_trial(self, trial):
            calls.append("write")
            super().write_trial(trial)

    hp = keras_tuner.HyperParameters()
    hp.Fixed("rate", 0.5)
    oracle = Oracle(keras_tuner.Objective("loss", "min"), 1, hyperparameters=hp)
    tuner = Tuner(oracle, build, directory=tmp_path)
    tuner.search(X, X, verbose=0)
    assert calls == [
        "explore",
        "write",
        "execution of 0",
        "model of rate 0.5",
        "write",
        "write",
    ]
    assert _keras_tuner.writes_its_own_files(oracle)
    plain = keras_tuner.oracles.RandomSearchOracle("loss")
    assert not _keras_tuner.writes_its_own_files(plain)


def test_a_grid_goes_on_after_the_trials_that_have_begun(tmp_path):
    def grid():
        hp = keras_tuner.HyperParameters()
        hp.Choice("a", [1, 2, 3])
        oracle = _keras_tuner.GridHooks(
            keras_tuner.Objective("loss", "min"), hyperparameters=hp
        )
        oracle.verbose = 0
        keras_tuner.Tuner(oracle, lambda hp: None, directory=tmp_path)
        return oracle

    oracle = grid()
    first = oracle.create_trial("tuner0")
    _keras_tuner.continue_grid_after(oracle, first.trial_id)
    second = oracle.create_trial("tuner1")
    values = [t.hyperparameters.values["a"] for t in (first, second)]
    assert values == [1, 2]

    again = grid()
    again.trials = {t.trial_id: t for t in (first, second)}
    again.start_order = list(again.trials)
    _keras_tuner.restore_grid(again)
    assert again.create_trial("tuner0").hyperparameters.values["a"] == 3
