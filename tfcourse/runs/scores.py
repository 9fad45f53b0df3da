"""How good a model is on a part of the data, and how good is nothing new."""

import keras

from tfcourse.export import class_probabilities
from tfcourse.export.evaluation import regression_scores
from tfcourse.runs.prepared_data import Part, PreparedData, in_batches


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
