"""Metrics by the names that a person writes."""

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score

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
