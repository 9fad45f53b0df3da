"""How good a model is on a part of the data, and how good is nothing new."""

import math

import keras
import numpy as np

from tfcourse.export import class_probabilities
from tfcourse.export.evaluation import regression_scores
from tfcourse.runs.prepared_data import Part, PreparedData, in_batches

# Intervals hold so many of the examples.
_COVERAGE = 0.9


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


def scores(
    model: keras.Model, data: PreparedData, part: Part
) -> dict[str, float]:
    """Returns how good a model is on a set.

    Args:
        model: What `with_preprocessing` returns.
        data: What it was trained on.
        part: `"train"`, `"dev"` or `"test"`.

    Returns:
        `accuracy`; or those of `regression_scores`.
    """
    positions = getattr(data.split, part)
    y, raw = data.dataset.y[positions], data.raw(positions)
    if data.task == "regression":
        predicted = in_batches(lambda x: model(x, training=False), raw)
        return regression_scores(y, predicted.reshape(-1))
    probabilities = in_batches(lambda x: class_probabilities(model, x), raw)
    return {"accuracy": float((probabilities.argmax(axis=-1) == y).mean())}
