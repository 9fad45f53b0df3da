"""Caviar: does a search come out as if each trial were trained alone?"""

import pathlib
import warnings

import h5py
import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.tuning import RandomSearchOracle, SerialTuner
from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.tuning.results.trials import count_programs, read_groups
from tfcourse.utils import atomic_files as files

OBJECTIVE = keras_tuner.Objective("val_loss", "min")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
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


def plain(hp):
    """Is quicker to train than `build`."""
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate), loss)
    return model


class Batches(keras_tuner.HyperModel):
    """Also chooses how it is fitted."""

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        # First met here.
        size = hp.Choice("batch_size", [8, 16])
        return model.fit(*args, batch_size=size, **kwargs)


def caviar(folder, space=plain, trials=4, **kwargs):
    return Caviar(
        space, OBJECTIVE, trials, directory=folder, project_name="p", **kwargs
    )


def serial(folder, space=plain, trials=4, **kwargs):
    return SerialTuner(
        RandomSearchOracle(OBJECTIVE, trials),
        space,
        directory=folder,
        project_name="p",
        **kwargs,
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


def histories(tuner):
    return {
        path.parent.name: files.read_json(path)["history"]
        for path in pathlib.Path(tuner.project_dir).glob("*/history.json")
    }


def assert_alike(ours, theirs):
    """Compares trials and their curves, to float32 rounding."""
    expected = histories(theirs)
    assert histories(ours).keys() == expected.keys()
    for name, curves in histories(ours).items():
        assert curves.keys() == expected[name].keys()
        for metric, values in curves.items():
            assert values == pytest.approx(expected[name][metric], rel=1e-4)
    for i, trial in ours.oracle.trials.items():
        other = theirs.oracle.trials[i]
        assert trial.hyperparameters.values == other.hyperparameters.values
        assert trial.score == pytest.approx(other.score, rel=1e-4)
        assert trial.best_step == other.best_step
        assert trial.status == other.status == "COMPLETED"


@pytest.fixture(scope="module")
def searched(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("searched")
    return search(caviar(folder, Batches(), trials=5), data)


def test_trials_are_those_trained_alone(searched, tmp_path, data):
    assert {group["how"] for group in searched.groups} == {"vectorised"}
    assert_alike(searched, search(serial(tmp_path, Batches(), 5), data))
    sizes = [
        trial.hyperparameters.get("batch_size")
        for trial in searched.oracle.trials.values()
    ]
    assert set(sizes) == {8, 16}


@pytest.mark.filterwarnings("ignore:Skipping variable loading")
def test_keras_tuner_opens_the_project(searched, data, capsys):
    theirs = keras_tuner.RandomSearch(
        Batches(),
        OBJECTIVE,
        5,
        directory=searched.directory,
        project_name="p",
    )

    best = theirs.oracle.get_best_trials(2)
    models = theirs.get_best_models(2), searched.get_best_models(2)
    for trial, their, our in zip(best, *models, strict=True):
        np.testing.assert_array_equal(
            their.predict(data[0], verbose=0), our.predict(data[0], verbose=0)
        )
        # They have the weights of the best epoch.
        assert their.evaluate(*data, verbose=0)[0] == pytest.approx(
            trial.score, rel=1e-5
        )
    assert [hp.values for hp in theirs.get_best_hyperparameters(5)] == [
        hp.values for hp in searched.get_best_hyperparameters(5)
    ]
    capsys.readouterr()
    theirs.results_summary(1)
    said = capsys.readouterr().out
    assert f"Trial {best[0].trial_id} summary" in said
    assert f"Score: {best[0].score}" in said
    # It has nothing left to do.
    theirs.search(None)
    assert theirs.remaining_trials == 0


def test_checkpoints_hold_what_keras_would_write(searched, tmp_path):
    for trial in searched.oracle.get_best_trials(2):
        model = searched.load_model(trial)
        model.optimizer.build(model.trainable_variables)
        path = pathlib.Path(searched.get_trial_dir(trial.trial_id))
        ours = path / "checkpoint.weights.h5"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.load_weights(ours)
        model.save_weights(tmp_path / "theirs.weights.h5", overwrite=True)
        assert names(ours) == names(tmp_path / "theirs.weights.h5")


def names(path):
    found = set()
    with h5py.File(path) as file:
        file.visititems(
            lambda name, data: (
                found.add((name, data.shape))
                if isinstance(data, h5py.Dataset)
                else None
            )
        )
    return found


def test_executions_are_members(tmp_path, data):
    settings = {"trials": 2, "executions_per_trial": 2}
    ours = search(caviar(tmp_path / "a", **settings), data, epochs=2)
    theirs = search(serial(tmp_path / "b", **settings), data, epochs=2)

    assert [(g["how"], g["members"]) for g in ours.groups] == [
        ("vectorised", 4)
    ]
    assert_alike(ours, theirs)
    trial = ours.oracle.trials["1"]
    best = min(histories(ours)["trial_1"]["val_loss"])
    # The score is the mean of two; the weights are the better one's.
    assert best < trial.score
    loss = ours.load_model(trial).evaluate(*data, verbose=0)
    assert loss == pytest.approx(best, rel=1e-5)


def test_patience_is_each_trials_own(tmp_path, data):
    stopping = keras.callbacks.EarlyStopping("val_loss", min_delta=0.0395)
    theirs = search(
        serial(tmp_path / "a", trials=3), data, epochs=7, callbacks=[stopping]
    )
    for name, ours, kwargs in [
        ("b", caviar(tmp_path / "b", trials=3), {"callbacks": [stopping]}),
        ("c", caviar(tmp_path / "c", trials=3, early_stopping=stopping), {}),
    ]:
        search(ours, data, epochs=7, **kwargs)
        assert [g["how"] for g in ours.groups] == ["vectorised"], name
        assert_alike(ours, theirs)
    lengths = {len(h["loss"]) for h in histories(theirs).values()}
    assert len(lengths) > 1


def test_halving_drops_the_worse_half(tmp_path, data):
    whole = search(caviar(tmp_path / "a", trials=8), data, epochs=5)
    halved = search(
        caviar(tmp_path / "b", trials=8, halving=True), data, epochs=5
    )

    full, trials = histories(whole), halved.oracle.trials
    assert {trial.status for trial in trials.values()} == {"COMPLETED"}
    lengths = {}
    for trial in trials.values():
        path = pathlib.Path(halved.get_trial_dir(trial.trial_id))
        record = files.read_json(path / "history.json")
        losses = record["history"]["val_loss"]
        lengths[trial.trial_id] = len(losses)
        expected = full[path.name]["val_loss"][: len(losses)]
        assert losses == pytest.approx(expected, rel=1e-4)
        assert trial.score == min(losses)
        if len(losses) < 5:
            assert record["dropped_after_epochs"] == len(losses)
            of = f"dropped after epoch {len(losses)} of 5"
            assert trial.message == of
        else:
            assert trial.message is None
    assert sorted(lengths.values()) == [1, 1, 1, 1, 2, 2, 5, 5]
    dropped = next(t for t in trials.values() if t.message)
    loss = halved.load_model(dropped).evaluate(*data, verbose=0)
    assert loss == pytest.approx(dropped.score, rel=1e-5)
    first = {i: full[f"trial_{i}"]["val_loss"][0] for i in lengths}
    worst = sorted(first, key=first.get)[4:]
    assert {i for i, n in lengths.items() if n == 1} == set(worst)


class OwnStep(keras.Model):
    """Trains itself in its own way, which cannot be vectorised."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3, kernel_initializer="zeros")

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        return super().train_step(data)


def own_step(hp):
    model = OwnStep()
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate), loss)
    return model


def test_what_is_not_vectorised_is_as_in_keras_tuner(tmp_path, data, caplog):
    ours = search(caviar(tmp_path / "a", own_step, trials=2), data, epochs=2)
    theirs = keras_tuner.Tuner(
        RandomSearchOracle(OBJECTIVE, 2),
        own_step,
        directory=tmp_path / "b",
        project_name="p",
    )
    search(theirs, data, epochs=2)

    (group,) = ours.groups
    assert (group["how"], group["members"]) == ("alone", 2)
    assert "it overrides `train_step`" in group["why"]
    lines = [r.message for r in caplog.records if "train_step" in r.message]
    assert len(lines) == 1
    for i, trial in ours.oracle.trials.items():
        assert trial.score == theirs.oracle.trials[i].score
        assert trial.best_step == theirs.oracle.trials[i].best_step


def test_others_do_not_change_by_one_bit_when_one_diverges(tmp_path, data):
    found = {}
    for rate in (None, 1e30):

        def space(hp, rate=rate):
            model = build(hp)
            if hp.Int("number", 0, 2) == 1 and rate:
                model.optimizer.learning_rate = rate
            return model

        hp = keras_tuner.HyperParameters()
        hp.Fixed("units", 5)
        hp.Fixed("learning_rate", 0.01)
        oracle = keras_tuner.oracles.GridSearchOracle(
            OBJECTIVE, hyperparameters=hp, seed=1
        )
        tuner = caviar(tmp_path / str(rate), space, oracle=oracle)
        found[rate] = search(tuner, data)

    (whole, broken) = found.values()
    statuses = [trial.status for trial in broken.oracle.trials.values()]
    assert statuses == ["COMPLETED", "FAILED", "COMPLETED"]
    message = broken.oracle.trials["0001"].message
    assert "diverged: the loss was nan in epoch " in message
    for name in ("trial_0000", "trial_0002"):
        assert histories(broken)[name] == histories(whole)[name]
        weights = "checkpoint.weights.h5"
        a, b = (
            pathlib.Path(t.project_dir, name, weights) for t in (whole, broken)
        )
        assert a.read_bytes() == b.read_bytes()


class OwnBatches(keras_tuner.HyperModel):
    """Finds the size of mini-batches, too."""

    def build(self, hp):
        return plain(hp)

    def fit(self, hp, model, *args, **kwargs):
        size = hp.Choice("batch_size", [8, 16])
        return model.fit(*args, **kwargs | {"batch_size": size})


def test_what_one_program_trains_in_parts_is_of_one(tmp_path, data):
    tuner = caviar(tmp_path, OwnBatches(), 8, population=4)
    search(tuner, data, epochs=1)
    tuner.reload()
    groups = read_groups(tuner.project_dir)
    assert groups == [
        {n: v for n, v in g.items() if n != "verified"} for g in tuner.groups
    ]
    assert len(groups) == 4
    assert {g["program"] for g in groups} == {"1"}
    assert count_programs(groups) == 1
