"""How good a model is on a part of the data."""

import math
from typing import Any

import keras
import numpy as np

from tfcourse.data.table.spelling import spelled
from tfcourse.export import class_probabilities
from tfcourse.export.evaluation import (
    classification_scores,
    regression_intervals,
    regression_scores,
)
from tfcourse.runs.prepared_data import Part, PreparedData, in_batches

# Intervals hold so many of the examples.
_COVERAGE = 0.9
# More pairs would be one cloud in a plot.
_MOST_POINTS = 1000


def margin(model: keras.Model, data: PreparedData) -> float | None:
    r"""Returns half the width of an interval that holds nine of ten amounts.

    The $\lceil 0.9 (m + 1) \rceil$-th smallest $|y - \hat y|$ of the $m$
    examples of the development set, on which the model was not trained.

    Args:
        model: What `with_preprocessing` returns.
        data: What it was trained on.

    Returns:
        `None` for classes, and where the development set is too small or
        trained on.

    Reference:
        Lei et al. (2018), Distribution-Free Predictive Inference for
        Regression, Algorithm 2, https://arxiv.org/abs/1604.04173.
    """
    dev = data.split.dev
    place = math.ceil(_COVERAGE * (len(dev) + 1))
    if data.task != "regression" or place > len(dev):
        return None
    predicted = in_batches(lambda x: model(x, training=False), data.raw(dev))
    errors = np.abs(data.dataset.y[dev] - predicted.reshape(-1))
    return float(np.sort(errors)[place - 1])


def evaluation(
    model: keras.Model, data: PreparedData
) -> dict[str, dict[str, Any]]:
    """Returns `measured` of each set that has examples, by its name."""
    parts: tuple[Part, ...] = ("train", "dev", "test")
    return {
        part: measured(model, data, part)
        for part in parts
        if len(getattr(data.split, part))
    }


def measured(
    model: keras.Model, data: PreparedData, part: Part
) -> dict[str, Any]:
    """Returns how good a model is on a set, with what a report shows of it.

    Args:
        model: What `with_preprocessing` returns.
        data: What it was trained on.
        part: `"train"`, `"dev"` or `"test"`.

    Returns:
        A dict that JSON can keep: `examples`; `scores`, `accuracy` or those of
        `regression_scores`; `intervals`, of each score the 95 % interval. Of
        classes what else `classification_scores` has; of amounts up to a
        thousand pairs, `y` and `predicted`.
    """
    positions = getattr(data.split, part)
    y, raw = data.dataset.y[positions], data.raw(positions)
    if data.task == "regression":
        predicted = in_batches(lambda x: model(x, training=False), raw)
        return _amounts(y, predicted.reshape(-1))
    probabilities = in_batches(lambda x: class_probabilities(model, x), raw)
    labels = [spelled(label) for label in data.dataset.labels]
    found = classification_scores(
        [labels[i] for i in y],
        [labels[i] for i in probabilities.argmax(axis=-1)],
        labels,
    )
    return {"scores": {"accuracy": found.pop("accuracy")}, **found}


def _amounts(y, predicted):
    rng = np.random.default_rng(0)
    some = np.arange(len(y))
    if len(y) > _MOST_POINTS:
        some = np.sort(rng.choice(len(y), _MOST_POINTS, replace=False))
    return {
        "examples": len(y),
        "scores": regression_scores(y, predicted),
        "intervals": regression_intervals(y, predicted),
        "y": y[some].tolist(),
        "predicted": predicted[some].tolist(),
    }
