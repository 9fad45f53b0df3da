"""Which epoch's weights a trial keeps, where several have the best score."""

import keras
import keras_tuner
import numpy as np
import pytest
from side_by_side import curves

from tfcourse.tuning import Caviar, SerialTuner
from tfcourse.tuning.caviar.steps import costs
from tfcourse.tuning.results.trials import read_records
from tfcourse.tuning.tuners.best_epoch import best_epoch, best_execution
from tfcourse.tuning.tuners.cross_validation import CrossValidated

HIGH = keras_tuner.Objective("val_accuracy", "max")
LOW = keras_tuner.Objective("val_loss", "min")
ALONE = (SerialTuner, "alone")
TOGETHER = (Caviar, "vectorised")
WAYS = [ALONE, TOGETHER]
if keras.config.backend() == "tensorflow":
    WAYS.append((Caviar, "by one step"))

# What trains most trials is tested each time.
MARKED = [
    pytest.param(
        way, id=way[1], marks=() if way is TOGETHER else pytest.mark.slow
    )
    for way in WAYS
]


def examples(mistakes, seed=0):
    """Returns two classes that one step tells apart, some named wrongly."""
    rng = np.random.default_rng(seed)
    y = np.arange(24) % 2
    x = rng.normal(0, 0.2, (24, 3)) + 2.0 * y[:, None] - 1.0
    y[:mistakes] = 1 - y[:mistakes]
    return x.astype("float32"), y.astype("float32")


TRAIN, DEV = examples(0), examples(3, seed=1)


def build(hp):
    units = hp.Choice("units", [2, 3])
    rate = hp.Choice("learning_rate", [0.1, 0.5])
    layers = [keras.layers.Dense(units), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((3,)), *layers])
    optimizer = keras.optimizers.SGD(rate)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def searched(way, folder, monkeypatch, folds=None, **settings):
    tuner_class, how = way
    if how == "by one step":
        monkeypatch.setattr(costs, "PROGRAM", 1e19)
        monkeypatch.setattr(costs, "SHARED", 0.0)
    elif how == "vectorised":
        settings["smallest_group"] = 2
    tuner = tuner_class(
        hypermodel=CrossValidated(build, folds, 1) if folds else build,
        oracle=keras_tuner.oracles.GridSearchOracle(HIGH, seed=1),
        directory=folder / how,
        project_name="p",
        **settings,
    )
    held_out = {} if folds else {"validation_data": DEV}
    data = DEV if folds else TRAIN
    fit = {"epochs": 6, "batch_size": 8, "shuffle": False, "verbose": 0}
    tuner.search(*data, **held_out, **fit)
    if tuner_class is Caviar:
        assert {group["how"] for group in tuner.groups} == {how}
    return tuner


def kept_losses(tuner):
    """Returns of each trial what its kept weights reach."""
    trials = tuner.oracle.trials.values()
    return [tuner.load_model(t).evaluate(*DEV, verbose=0)[0] for t in trials]


def firsts(curve):
    """Returns the epochs of the best accuracy."""
    accuracy = np.array(curve["val_accuracy"])
    return np.flatnonzero(accuracy == accuracy.max())


@pytest.mark.parametrize("way", MARKED)
def test_the_epoch_of_the_lowest_loss_among_equals_is_kept(
    way, tmp_path, monkeypatch
):
    tuner = searched(way, tmp_path, monkeypatch, break_ties_by=("val_loss",))
    trials = tuner.oracle.trials.values()
    found = [curves(tuner, trial) for trial in trials]
    losses = [np.array(curve["val_loss"]) for curve in found]
    best = [
        min(firsts(curve), key=lambda epoch, loss=loss: loss[epoch])
        for curve, loss in zip(found, losses, strict=True)
    ]
    # Neither the first of them each time, nor the last.
    assert best != [firsts(curve)[0] for curve in found]
    assert best != [firsts(curve)[-1] for curve in found]
    records = read_records(tuner.project_dir)
    assert [record.best_epoch - 1 for record in records] == best
    expected = [loss[epoch] for loss, epoch in zip(losses, best, strict=True)]
    np.testing.assert_allclose(kept_losses(tuner), expected, rtol=1e-4)
    # The score is that of all of them.
    assert [r.score for r in records] == pytest.approx(
        [max(curve["val_accuracy"]) for curve in found]
    )


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way[1])
def test_the_first_epoch_is_kept_if_nothing_is_said(way, tmp_path, monkeypatch):
    tuner = searched(way, tmp_path, monkeypatch)
    trials = tuner.oracle.trials.values()
    found = [curves(tuner, trial) for trial in trials]
    expected = [curve["val_loss"][firsts(curve)[0]] for curve in found]
    np.testing.assert_allclose(kept_losses(tuner), expected, rtol=1e-4)
    records = read_records(tuner.project_dir)
    best = [trial.best_step + 1 for trial in trials]
    assert [record.best_epoch for record in records] == best


@pytest.mark.slow
@pytest.mark.parametrize("folds", [None, 2])
def test_trials_alone_and_together_keep_the_same_epoch(
    folds, tmp_path, monkeypatch
):
    kept = []
    for way in WAYS:
        with monkeypatch.context() as patch:
            tuner = searched(
                way, tmp_path, patch, folds, break_ties_by=("val_loss",)
            )
        records = read_records(tuner.project_dir)
        kept.append([record.best_epoch for record in records])
        losses = kept_losses(tuner)
        if way is ALONE:
            expected = losses
        np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert kept == [kept[0]] * len(kept)


def test_the_first_metric_that_is_reported_decides():
    curve = {
        "val_accuracy": [0.5, 1.0, 1.0, 1.0],
        "val_loss": [0.1, 0.3, 0.2, 0.4],
        "val_cross_entropy": [0.1, 0.3, 0.2, 0.1],
    }
    names = ("val_cross_entropy", "val_loss")
    assert best_epoch(curve, HIGH) == 1
    assert best_epoch(curve, HIGH, ("val_loss",)) == 2
    assert best_epoch(curve, HIGH, names) == 3
    assert best_epoch(curve, HIGH, ("val_auc", "val_loss")) == 2
    assert best_epoch(curve, HIGH, ("val_auc",)) == 1
    assert best_epoch(curve, LOW, names) == 0


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_a_loss_that_is_not_known_comes_last(unknown):
    curve = {"val_accuracy": [1.0, 1.0], "val_loss": [unknown, 9.0]}
    assert best_epoch(curve, HIGH, ("val_loss",)) == 1


def test_a_curve_without_the_objective_has_no_best_epoch():
    assert best_epoch({"loss": [1.0]}, HIGH) is None
    assert best_epoch({"val_accuracy": [float("nan")]}, HIGH) is None


def test_of_equal_executions_the_lower_loss_leads():
    found = [
        {"val_accuracy": [1.0], "val_loss": [0.3]},
        {"val_accuracy": [0.5, 1.0], "val_loss": [0.1, 0.2]},
    ]
    assert best_execution(found, HIGH) == 0
    assert best_execution(found, HIGH, ("val_loss",)) == 1
