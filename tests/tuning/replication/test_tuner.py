"""Replication: the same seeds for all points, and their means?"""

import keras
import numpy as np
import pytest

from tests.helpers.side_by_side import examples
from tfcourse.errors import InputError
from tfcourse.tuning import Replication, read_replicates

X, Y = examples(24)
NAMED = {"project_name": "p"}
FIT = {
    "validation_data": (X[16:], Y[16:]),
    "batch_size": 6,
    "epochs": 3,
    "verbose": 0,
}


def build(hp):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, "tanh"),
            keras.layers.Dense(1),
        ]
    )
    rate = hp.Float("learning_rate", 1e-5, 1e-1, sampling="log")
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def points(*rates):
    return [{"learning_rate": rate} for rate in rates]


def alone(rate, seed):
    """Returns the best loss of a model that Keras trains by itself."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, "tanh"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(rate), "mse")
    fit = model.fit(X[:16], Y[:16], shuffle=False, **FIT)
    return min(fit.history["val_loss"])


@pytest.mark.slow
def test_each_score_is_what_keras_reaches_with_that_seed(tmp_path):
    tuner = Replication(
        build, points(0.001, 0.05), "val_loss", 3, directory=tmp_path, **NAMED
    )
    tuner.search(X[:16], Y[:16], shuffle=False, **FIT)

    assert [group["members"] for group in tuner.groups] == [6]
    best, other = tuner.replicates()
    assert best.hyperparameters == {"learning_rate": 0.05}
    for one in (best, other):
        trial = tuner.oracle.trials[one.trial]
        rate = one.hyperparameters["learning_rate"]
        seeds = [tuner.seed_of(trial, n) for n in range(3)]
        expected = [alone(rate, seed) for seed in seeds]
        np.testing.assert_allclose(one.scores, expected, rtol=2e-4)
        # What the oracle ranks by, and so `get_best_models`.
        assert trial.score == pytest.approx(one.mean)
    assert read_replicates(tuner.project_dir, "min") == [best, other]


@pytest.mark.slow
def test_trained_one_by_one_the_scores_are_the_same(tmp_path):
    def searched(name, **kwargs):
        tuner = Replication(
            build,
            points(0.001, 0.05),
            "val_loss",
            2,
            directory=tmp_path,
            project_name=name,
            **kwargs,
        )
        tuner.search(X[:16], Y[:16], shuffle=False, **FIT)
        return [one.scores for one in tuner.replicates()]

    together = searched("together", smallest_group=2)
    apart = searched("apart", smallest_group=100)
    np.testing.assert_allclose(together, apart, rtol=2e-4)


def test_with_folds_there_is_a_score_of_each(tmp_path):
    tuner = Replication(
        build,
        points(0.001, 0.05),
        "val_loss",
        1,
        folds=4,
        directory=tmp_path,
        **NAMED,
    )
    tuner.search(X, Y, batch_size=6, epochs=3, verbose=0)

    best = tuner.replicates()[0]
    assert len(best.scores) == 4
    trial = tuner.oracle.trials[best.trial]
    assert trial.score == pytest.approx(best.mean)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"points": []}, "needs `points`"),
        ({"points": points(0.1, 0.1)}, "twice"),
        ({"points": points(0.1), "max_trials": 3}, "`max_trials` is not for"),
    ],
)
def test_refuses_what_it_cannot_train(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        Replication(
            build, objective="val_loss", directory=tmp_path, **arguments
        )


def test_one_seed_is_too_few_without_folds(tmp_path):
    with pytest.raises(ValueError, match="`seeds`"):
        Replication(build, points(0.1), "val_loss", 1, directory=tmp_path)
