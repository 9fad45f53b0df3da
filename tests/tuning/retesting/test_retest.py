"""Testing again: is a moved optimum found, and luck left alone?"""

import keras
import numpy as np
import pytest

from tests.tuning.retesting.test_drift import sample
from tfcourse.tuning import Caviar, best_points, retest


def build(hp):
    """How far it gets in a few steps depends on the rate and the scale."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    rate = hp.Float("learning_rate", 1e-5, 1.0, sampling="log")
    hp.Fixed("batch_size", 16)
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def data(seed, scale=1.0, m=160):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(m, 3)) * scale
    y = x @ [1.0, -1.0, 0.5] / scale + rng.normal(size=m)
    return x.astype("float32"), y.astype("float32")


FIT = {"epochs": 3, "batch_size": 16, "verbose": 0}


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    tuner = Caviar(
        build,
        "val_loss",
        16,
        directory=tmp_path_factory.mktemp("old"),
        project_name="p",
    )
    x, y = data(0)
    tuner.search(x[:100], y[:100], validation_data=(x[100:], y[100:]), **FIT)
    return tuner


@pytest.mark.slow
def test_a_moved_optimum_is_found(old):
    # Features of a tenth want steps a hundred times as large.
    found = retest(old, build, *data(1, scale=0.1), **FIT)

    assert not found.holds
    rate = best_points(old)[0]["learning_rate"]
    assert found.old.point.values["learning_rate"] == rate
    assert found.moved["learning_rate"] > rate
    best = found.better[0]
    assert best.point.values["learning_rate"] > rate
    assert best.comparison.interval[0] > 0
    means = [np.mean(best.scores), np.mean(found.old.scores)]
    assert means[1] - means[0] == pytest.approx(best.comparison.gain)
    assert found.to_json()["begin"] == best.point.values


@pytest.mark.slow
def test_examples_of_the_same_kind_change_nothing(old):
    for seed in range(1, 5):
        found = retest(old, build, *data(seed), seed=seed, **FIT)
        assert found.holds, (seed, found.better)
        assert found.moved == {}
        assert found.to_json()["begin"] is None


@pytest.mark.slow
def test_drifts_of_the_features_are_told(old):
    x, y = data(1)
    rng = np.random.default_rng(0)
    found = retest(
        old,
        build,
        x,
        y,
        seeds=5,
        draws=0,
        before=sample(rng),
        after=sample(rng, shift=0.5),
        **FIT,
    )
    assert [one.feature for one in found.drifted] == ["age"]
    assert found.to_json()["drifts"][0]["has_drifted"]


@pytest.mark.slow
def test_an_old_choice_that_fails_does_not_hold(old):
    x, y = data(1, scale=1e12)
    found = retest(old, build, x, y, seeds=5, draws=0, **FIT)
    assert not found.old.scores
    assert not found.holds
