"""What a score is to be compared with: no model, and a linear one."""

import warnings
from typing import Any

import numpy as np

from tfcourse.export.evaluation import regression_scores
from tfcourse.runs.prepared_data import PreparedData

# A line through so many examples stands as fast as through all.
_MOST_EXAMPLES = 10_000
# Beyond it a linear model takes longer than a trial.
_MOST_FEATURES = 2_000


def baselines(data: PreparedData) -> dict[str, dict[str, dict[str, float]]]:
    """Returns the scores of what takes no search.

    Args:
        data: The data of a run. What is compared learns from the training set,
            of the features that the network takes.

    Returns:
        By name, `"majority"` or `"mean"`, and `"logistic regression"` or
        `"ridge regression"` of scikit-learn with its own settings, for `"dev"`
        and `"test"`: scores as of `scores`. No linear model of more than 2000
        features; no `"dev"` of a set that is empty.
    """
    simplest = "mean" if data.task == "regression" else "majority"
    found = {simplest: _scores(data, _Simplest(data))}
    if np.prod(data.input_shape) <= _MOST_FEATURES:
        name, model = _linear(data)
        found[name] = _scores(data, model)
    return found


class _Simplest:
    """Answers the same for all: the commonest class, or the mean."""

    def __init__(self, data):
        y = data.dataset.y[data.split.train]
        regression = data.task == "regression"
        self._answer = y.mean() if regression else np.bincount(y).argmax()

    def predict(self, x):
        return np.full(len(x), self._answer)


def _linear(data) -> tuple[str, Any]:
    from sklearn.linear_model import LogisticRegression, Ridge

    train = data.split.train
    # Amounts in their own unit and precision.
    x, y = data.x[train], data.dataset.y[train]
    if len(x) > _MOST_EXAMPLES:
        rng = np.random.default_rng(0)
        some = rng.choice(len(x), _MOST_EXAMPLES, replace=False)
        x, y = x[some], y[some]
    regression = data.task == "regression"
    model = Ridge() if regression else LogisticRegression(max_iter=500)
    with warnings.catch_warnings():
        # Nearly converged is near enough to compare with.
        warnings.simplefilter("ignore")
        model.fit(_flat(x), y)
    return f"{'ridge' if regression else 'logistic'} regression", model


def _scores(data, model):
    parts = ("dev", "test") if len(data.split.dev) else ("test",)
    return {part: _scores_of_part(data, model, part) for part in parts}


def _scores_of_part(data, model, part):
    positions = getattr(data.split, part)
    y = data.dataset.y[positions]
    predicted = model.predict(_flat(data.x[positions]))
    if data.task == "regression":
        return regression_scores(y, predicted)
    return {"accuracy": float((predicted == y).mean())}


def _flat(x):
    return x.reshape(len(x), -1)
