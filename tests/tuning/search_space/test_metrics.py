"""Metrics by the names that a person writes."""

import keras
import numpy as np
import pytest
from sklearn.metrics import (
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from tfcourse.tuning.search_space.metrics import F1, metric


@pytest.mark.parametrize(
    "name, kind",
    [
        ("auc", keras.metrics.AUC),
        ("recall", keras.metrics.Recall),
        ("f1", F1),
        ("r2", keras.metrics.R2Score),
        ("rmse", keras.metrics.RootMeanSquaredError),
        ("mean_absolute_error", keras.metrics.MeanAbsoluteError),
        (
            "sparse_top_k_categorical_accuracy",
            keras.metrics.SparseTopKCategoricalAccuracy,
        ),
    ],
)
def test_a_metric_has_the_name_that_was_written(name, kind):
    found = metric(name)

    assert type(found) is kind
    assert found.name == name


@pytest.mark.parametrize("name", ["profit", "metric", "mean_io_u"])
def test_what_is_no_metric_or_needs_a_setting(name):
    found = metric(name)

    assert found is None or name == "metric"


@pytest.mark.parametrize(
    "name, expected",
    [
        (
            "auc",
            lambda y, p: roc_auc_score(y, p, multi_class="ovr"),
        ),
        (
            "precision",
            lambda y, p: precision_score(
                y, p.argmax(1), average="macro", zero_division=0
            ),
        ),
        ("recall", lambda y, p: recall_score(y, p.argmax(1), average="macro")),
    ],
)
def test_of_many_classes_it_is_scikit_learns_mean(rng, name, expected):
    y = rng.integers(0, 3, 400)
    logits = rng.normal(size=(400, 3)) + 1.5 * np.eye(3)[y]
    if name != "auc":
        logits[:, 2] -= 9  # Never predicted.
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = metric(name, outputs=3)
    same = type(found).from_config(found.get_config())

    for some in (slice(0, 100), slice(100, 400)):
        found.update_state(y[some], p[some].astype("float32"))
        same.update_state(y[some], p[some].astype("float32"))

    # Keras's AUC is a sum over 200 thresholds.
    near = 0.02 if name == "auc" else 1e-6
    assert float(found.result()) == pytest.approx(expected(y, p), abs=near)
    assert float(same.result()) == float(found.result())
    assert found.name == name
    found.reset_state()
    assert float(found.result()) == 0


@pytest.mark.parametrize("name", ["precision", "recall"])
def test_examples_count_by_their_weight(rng, name):
    y, p = rng.integers(0, 3, 30), rng.uniform(size=(30, 3))
    weights = rng.integers(0, 3, 30)
    weighted, repeated = metric(name, 3), metric(name, 3)

    weighted.update_state(y, p, weights)
    repeated.update_state(np.repeat(y, weights), np.repeat(p, weights, 0))

    assert float(weighted.result()) == pytest.approx(float(repeated.result()))


@pytest.mark.parametrize("outputs", [1, 3])
def test_f1_is_that_of_scikit_learn(rng, outputs):
    y = rng.integers(0, max(outputs, 2), 50)
    p = rng.uniform(size=(50, outputs)).astype("float32")
    found = F1(outputs)
    same = F1.from_config(found.get_config())

    for some in (slice(0, 20), slice(20, 50)):
        found.update_state(y[some], p[some])
        same.update_state(y[some], p[some])

    predicted = p[:, 0] > 0.5 if outputs == 1 else p.argmax(axis=1)
    average = "binary" if outputs == 1 else "macro"
    expected = f1_score(y, predicted, average=average)
    np.testing.assert_allclose(found.result(), expected, rtol=1e-5)
    np.testing.assert_allclose(same.result(), expected, rtol=1e-5)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(
    "name",
    [
        "cross_entropy",
        "binary_crossentropy",
        "sparse_categorical_crossentropy",
    ],
)
@pytest.mark.parametrize("shape", [(20,), (20, 1)])
def test_the_cross_entropy_is_that_of_scikit_learn(outputs, name, shape, rng):
    y = np.arange(20) % max(2, outputs)
    p = rng.dirichlet(np.ones(max(2, outputs)), 20)
    found = metric(name, outputs)
    found = type(found).from_config(found.get_config())

    for some in (slice(0, 8), slice(8, None)):
        given = p[:, 1:] if outputs == 1 else p
        found.update_state(y.reshape(shape)[some], given[some])

    assert found.name == name
    assert float(found.result()) == pytest.approx(log_loss(y, p), rel=1e-5)
