"""Do all pairs of arguments of `fit` do what they do in Keras?"""

import inspect
import itertools

import keras
import numpy as np
import pytest
from keras import layers
from side_by_side import assert_all_same

N = 10
X = np.linspace(-1, 1.5, 2 * N).reshape(N, 2).astype("float32")
Y = (np.arange(N) % 3 == 0).astype("float32")[:, None]
V = X[::-1][:7] + 0.25, Y[:7]
WEIGHTS = np.linspace(0.1, 2, N).astype("float32")


def stopping(**settings):
    return lambda: keras.callbacks.EarlyStopping("loss", **settings)


def scheduler():
    return keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)


# Each argument of `fit` with values that it does not have by default.
VALUES = {
    "batch_size": [3, 50],
    "epochs": [1, 4],
    "verbose": [2, "auto"],
    "callbacks": [
        [stopping(patience=0, min_delta=0.05)],
        [stopping(patience=1, min_delta=9, restore_best_weights=True)],
        [scheduler],
    ],
    "validation_split": [0.3],
    "validation_data": [V, (*V, WEIGHTS[:7])],
    "shuffle": [True, "batch"],
    "class_weight": [{0: 0.5, 1: 2.0}],
    "sample_weight": [WEIGHTS],
    "initial_epoch": [1, 2],
    "steps_per_epoch": [1, 3],
    "validation_steps": [2],
    "validation_batch_size": [2],
    "validation_freq": [2, [1, 3]],
}
PAIRS = [
    ((one, a), (other, b))
    for one, other in itertools.combinations(VALUES, 2)
    for a in VALUES[one]
    for b in VALUES[other]
    # Which batches a shuffle gives is not said.
    if {(one, str(a)), (other, str(b))}
    not in (
        {("batch_size", "3"), ("shuffle", "True")},
        {("steps_per_epoch", "3"), ("shuffle", "True")},
    )
]


def model():
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(1, "sigmoid", kernel_initializer="ones"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.5),
        "binary_crossentropy",
        metrics=["mae"],
        weighted_metrics=["accuracy"],
    )
    return model


def check(folder, pairs):
    cases = {
        ", ".join(f"{name} {i}" for i, (name, _) in enumerate(pair, start=n)): (
            model,
            (X, Y),
            dict(pair),
        )
        for n, pair in enumerate(pairs)
    }
    assert len(cases) == len(pairs)
    return assert_all_same(folder, cases)


def test_each_argument_of_keras_is_paired():
    known = inspect.signature(keras.Model.fit).parameters.keys()
    assert {*VALUES, "self", "x", "y"} == known


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_some_pairs(tmp_path):
    drawn = np.random.default_rng(3).choice(len(PAIRS), 6, replace=False)
    check(tmp_path, [PAIRS[i] for i in drawn])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("share", range(4))
def test_all_pairs(tmp_path, share):
    how = check(tmp_path, PAIRS[share::4])
    assert "vectorised" in how.values()
