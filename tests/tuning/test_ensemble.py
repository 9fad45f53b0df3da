"""Ensembles: the mean of probabilities, exported, and judged?"""

import subprocess
import sys

import keras
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning import Ensemble

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = (X[:, 0] > 0) + (X[:, 1] > 0.5).astype(int)


def member(seed, units=3, loss="sparse_categorical_crossentropy", last=None):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, "tanh"),
            keras.layers.Dense(units, last),
        ]
    )
    model.compile("sgd", loss)
    return model


def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def from_logits():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def test_it_averages_probabilities_also_of_logits():
    logits = [member(seed, loss=from_logits()) for seed in range(2)]
    models = [*logits, member(2, last="softmax")]
    answers = [
        model.predict(X, verbose=0).astype("float64") for model in models
    ]
    expected = np.mean(
        [softmax(answers[0]), softmax(answers[1]), answers[2]], axis=0
    )

    found = Ensemble(models).model.predict(X, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_it_averages_amounts():
    models = [member(seed, 1, "mse") for seed in range(3)]
    expected = np.mean([m.predict(X, verbose=0) for m in models], axis=0)
    found = Ensemble(models)
    np.testing.assert_allclose(
        found.model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6
    )
    y = expected[:, 0]
    compared = found.compare(X, y)
    alone = ((models[0].predict(X, verbose=0)[:, 0] - y) ** 2).mean()
    assert compared["metric"] == "mse"
    assert compared["ensemble"] == pytest.approx(0, abs=1e-9)
    assert compared["best_alone"] == pytest.approx(alone, rel=1e-4)
    assert compared["gain"] == pytest.approx(alone, rel=1e-4)
    low, high = compared["interval"]
    assert 0 < low < alone < high


def test_it_is_measured_against_its_first():
    models = [member(seed, last="softmax") for seed in range(3)]
    found = Ensemble(models).compare(X, Y)

    def accuracy(probabilities):
        return (probabilities.argmax(-1) == Y).mean()

    alone = [accuracy(m.predict(X, verbose=0)) for m in models]
    mean = np.mean([m.predict(X, verbose=0) for m in models], axis=0)
    assert found["metric"] == "accuracy"
    assert found["members"] == pytest.approx(alone)
    assert found["best_alone"] == pytest.approx(alone[0])
    assert found["ensemble"] == pytest.approx(accuracy(mean))
    assert found["gain"] == pytest.approx(accuracy(mean) - alone[0])
    low, high = found["interval"]
    assert low <= found["gain"] <= high


@pytest.mark.slow
def test_it_serves_without_tfcourse(tmp_path):
    models = [member(seed, loss=from_logits()) for seed in range(2)]
    ensemble = Ensemble(models)
    ensemble.export(tmp_path / "saved", labels=["a", "b", "c"])
    np.save(tmp_path / "x.npy", X)
    code = """
import sys
sys.modules["tfcourse"] = None
import numpy as np, tensorflow as tf
x = tf.constant(np.load("x.npy"))
loaded = tf.saved_model.load("saved")
answer = loaded.classify(x)
np.save("found.npy", answer["probabilities"].numpy())
print(answer["label"].numpy()[0].decode())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    expected = ensemble.model.predict(X, verbose=0)
    found = np.load(tmp_path / "found.npy")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert done.stdout.strip() == "abc"[expected[0].argmax()]


@pytest.mark.parametrize(
    "models, message",
    [
        (lambda: [member(0)], "two models or more"),
        (lambda: [member(0), member(1, 4)], "the same inputs and outputs"),
        (lambda: [member(0), keras.Model()], "no `keras.Input`"),
    ],
)
def test_refuses_what_has_no_mean(models, message):
    with pytest.raises(InputError, match=message):
        Ensemble(models())
