"""Caviar: does a search come out as if each trial were trained alone?"""

import json
import pathlib
import warnings

import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse import files
from tfcourse.errors import InputError
from tfcourse.tuning import RandomSearchOracle, SerialTuner
from tfcourse.tuning.caviar import Caviar

OBJECTIVE = keras_tuner.Objective("val_loss", "min")

pytestmark = pytest.mark.slow


@pytest.fixture
def data(rng):
    y = rng.integers(3, size=48)
    x = (rng.normal(size=(48, 6)) + y[:, None]).astype("float32")
    return x, y


def build(hp):
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(hp.Choice("units", [5, 8]), "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


class Batches(keras_tuner.HyperModel):
    """Also chooses how it is fitted."""

    def build(self, hp):
        hp.Choice("batch_size", [8, 16])
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        size = hp.Choice("batch_size", [8, 16])
        return model.fit(*args, batch_size=size, **kwargs)


def caviar(folder, space=build, trials=4, **kwargs):
    return Caviar(
        space, OBJECTIVE, trials, directory=folder, project_name="p", **kwargs
    )


def search(tuner, data, **kwargs):
    settings = {
        "validation_data": data,
        "epochs": 3,
        "shuffle": False,
        "verbose": 0,
    }
    tuner.search(*data, **settings | kwargs)
    return tuner


def scores(tuner):
    return {i: trial.score for i, trial in tuner.oracle.trials.items()}


def histories(folder):
    return {
        path.parent.name: json.loads(path.read_text())["history"]
        for path in pathlib.Path(folder).glob("p/trial_*/history.json")
    }


@pytest.mark.parametrize("space", [build, Batches()], ids=["plain", "fit"])
def test_trials_are_those_trained_alone(tmp_path, data, space):
    ours = search(caviar(tmp_path / "ours", space), data)
    serial = SerialTuner(
        RandomSearchOracle(OBJECTIVE, 4),
        space,
        directory=tmp_path / "alone",
        project_name="p",
    )
    search(serial, data)

    assert {group["how"] for group in ours.groups} == {"vectorised"}
    assert scores(ours) == pytest.approx(scores(serial), rel=1e-4)
    alone = histories(tmp_path / "alone")
    for name, curves in histories(tmp_path / "ours").items():
        assert curves.keys() == alone[name].keys()
        for metric, values in curves.items():
            assert values == pytest.approx(alone[name][metric], rel=1e-4)
    for i, trial in ours.oracle.trials.items():
        other = serial.oracle.trials[i]
        assert trial.hyperparameters.values == other.hyperparameters.values
        assert trial.best_step == other.best_step
        assert trial.status == other.status == "COMPLETED"


@pytest.mark.filterwarnings("ignore:Skipping variable loading")
def test_keras_tuner_opens_the_project(tmp_path, data):
    ours = search(caviar(tmp_path), data)
    theirs = keras_tuner.RandomSearch(
        build, OBJECTIVE, 4, directory=tmp_path, project_name="p"
    )

    models = theirs.get_best_models(4)

    pairs = zip(models, ours.get_best_models(4), strict=True)
    for trial, (their, our) in zip(
        theirs.oracle.get_best_trials(4), pairs, strict=True
    ):
        np.testing.assert_array_equal(
            their.predict(data[0], verbose=0), our.predict(data[0], verbose=0)
        )
        # They have the weights of the best epoch.
        assert their.evaluate(*data, verbose=0)[0] == pytest.approx(
            trial.score, rel=1e-5
        )


def test_trials_that_differ_in_numbers_are_one_group(tmp_path, data):
    tuner = search(caviar(tmp_path, trials=6), data, epochs=1)
    assert [sorted(group["trials"]) for group in tuner.groups] == [
        [str(i) for i in range(6)]
    ]
    written = files.read_json(tmp_path / "p/groups.json")
    assert written == tuner.groups


def test_batches_of_trials_are_no_larger_than_asked(tmp_path, data):
    tuner = search(caviar(tmp_path, trials=5, population=2), data, epochs=1)
    assert [group["members"] for group in tuner.groups] == [2, 2, 1]


class LateBatches(Batches):
    def build(self, hp):
        return build(hp)


def test_what_only_fit_asks_for_is_drawn_for_all_trials(tmp_path, data):
    tuner = search(caviar(tmp_path, LateBatches(), trials=6), data, epochs=1)
    assert sorted(len(group["trials"]) for group in tuner.groups) != [6]
    sizes = [
        trial.hyperparameters.get("batch_size")
        for trial in tuner.oracle.trials.values()
    ]
    assert set(sizes) == {8, 16}


def diverging(hp):
    model = build(hp)
    if hp.Choice("bad", [False, True]):
        model.optimizer.learning_rate = 1e30
    return model


def test_diverged_trials_fail_and_others_do_not_notice(tmp_path, data):
    tuner = search(caviar(tmp_path / "a", diverging, 6), data)
    serial = SerialTuner(
        RandomSearchOracle(OBJECTIVE, 6),
        diverging,
        directory=tmp_path / "b",
        project_name="p",
    )
    search(serial, data)

    bad = {
        i
        for i, trial in tuner.oracle.trials.items()
        if trial.hyperparameters.get("bad")
    }
    assert 0 < len(bad) < 6
    for i, trial in tuner.oracle.trials.items():
        if i in bad:
            assert trial.status == "FAILED"
            assert "diverged: the loss was " in trial.message
            assert "in epoch 1" in trial.message
        else:
            expected = serial.oracle.trials[i].score
            assert trial.score == pytest.approx(expected, rel=1e-4)


def test_when_all_diverge_the_error_names_the_rates(tmp_path, data):
    def hopeless(hp):
        model = build(hp)
        model.optimizer.learning_rate = 1e30
        return model

    with pytest.raises(InputError, match="None of the 2 trials.*learning_rate"):
        search(caviar(tmp_path, hopeless, 2), data)


def raising(hp):
    if hp.Choice("bad", [False, True]):
        raise ValueError("no such network")
    return build(hp)


def test_a_build_that_raises_fails_its_trial_only(tmp_path, data):
    # The first build of all, before the search, is that of the defaults.
    tuner = search(caviar(tmp_path, raising, 6), data, epochs=1)
    failed = {
        i: trial
        for i, trial in tuner.oracle.trials.items()
        if trial.status == "FAILED"
    }
    assert 0 < len(failed) < 6
    for trial in failed.values():
        assert trial.hyperparameters.get("bad")
        assert "ValueError: no such network" in trial.message


class Watching(keras.callbacks.Callback):
    pass


def test_callbacks_run_alone_with_the_reason(tmp_path, data, caplog):
    tuner = search(
        caviar(tmp_path, trials=2), data, epochs=1, callbacks=[Watching()]
    )
    (group,) = tuner.groups
    assert (group["how"], group["members"]) == ("alone", 2)
    assert group["why"] == "the callback Watching needs a live model"
    lines = [r.message for r in caplog.records if "Watching" in r.message]
    assert len(lines) == 1
    assert all(t.status == "COMPLETED" for t in tuner.oracle.trials.values())


def test_early_stopping_is_no_reason_to_run_alone(tmp_path, data):
    stopping = keras.callbacks.EarlyStopping("val_loss", min_delta=9)
    tuner = search(
        caviar(tmp_path, trials=2), data, epochs=9, callbacks=[stopping]
    )
    assert [group["how"] for group in tuner.groups] == ["vectorised"]
    for curves in histories(tmp_path).values():
        assert len(curves["loss"]) == 2


def test_failures_in_a_row_end_no_batch(tmp_path, data):
    oracle = keras_tuner.oracles.RandomSearchOracle(
        OBJECTIVE, 8, seed=3, max_consecutive_failed_trials=1
    )
    tuner = search(caviar(tmp_path, diverging, oracle=oracle), data, epochs=1)
    statuses = [trial.status for trial in tuner.oracle.trials.values()]
    assert sorted(set(statuses)) == ["COMPLETED", "FAILED"]
    assert len(tuner.oracle.end_order) == 8


class Killed(BaseException):
    """Ends a process as `kill -9` would, as far as files can tell."""


def test_killed_and_resumed(tmp_path, data, monkeypatch):
    ran = []
    original = files.write_text
    whole = search(caviar(tmp_path / "whole", population=4), data, epochs=1)
    expected = scores(whole)

    for write in (5, 14, 27):
        folder, count = tmp_path / str(write), 0

        def write_text(path, text, write=write):
            nonlocal count
            count += 1
            if count == write:
                raise Killed
            original(path, text)

        with monkeypatch.context() as patch:
            patch.setattr(files, "write_text", write_text)
            with pytest.raises(Killed):
                search(caviar(folder, population=4), data, epochs=1)
        states = [
            files.read_json(path)
            for path in folder.glob("p/trial_*/trial.json")
        ]
        kept = {s["trial_id"] for s in states if s["status"] == "COMPLETED"}
        ran.clear()
        tuner = caviar(
            folder, population=4, on_trial=lambda _, t: ran.append(t.trial_id)
        )
        search(tuner, data, epochs=1)

        assert not kept & set(ran)
        assert sorted(kept | set(ran)) == ["0", "1", "2", "3"]
        assert sorted(tuner.oracle.end_order) == ["0", "1", "2", "3"]
        assert scores(tuner) == pytest.approx(expected, rel=1e-4)
        assert len(tuner.get_best_models(4)) == 4


def test_no_population(tmp_path):
    with pytest.raises(ValueError, match="`population` of Caviar.*Received.*0"):
        caviar(tmp_path, population=0)
    with pytest.raises(ValueError, match="needs a `hypermodel`"):
        caviar(tmp_path, space=None)


def test_written_as_keras_would(tmp_path, data):
    """The fast checkpoints hold what `save_weights` writes."""
    import h5py

    tuner = search(caviar(tmp_path, trials=2), data, epochs=1)
    for trial in tuner.oracle.trials.values():
        model = tuner.load_model(trial)
        model.optimizer.build(model.trainable_variables)
        path = tmp_path / f"p/trial_{trial.trial_id}/checkpoint.weights.h5"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.load_weights(path)
        model.save_weights(tmp_path / "theirs.weights.h5", overwrite=True)
        assert _arrays(h5py, path).keys() == (
            _arrays(h5py, tmp_path / "theirs.weights.h5").keys()
        )


def _arrays(h5py, path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, data: (
                found.update({name: data[()]})
                if isinstance(data, h5py.Dataset)
                else None
            )
        )
    return found
