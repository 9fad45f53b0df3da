"""How good a model's answers for a table are."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tfcourse.data.chunks import Chunk
from tfcourse.data.table.columns import Column
from tfcourse.data.table.files.rows import Places
from tfcourse.data.table.spelling import spelled
from tfcourse.errors import InputError
from tfcourse.export.predictor import PREDICTED, Predictor, predictions
from tfcourse.utils.intervals import binomial_interval, bootstrap_interval

# Of the mistakes that the commonest class makes: what is too few to mend.
_LITTLE = 0.1


def target_column(metadata: Mapping[str, Any], target: str) -> Column:
    """Returns how a model's target is to be read from a table.

    Args:
        metadata: What the model's exporter wrote down.
        target: Name of the column.
    """
    regression = metadata.get("task") == "regression"
    return Column(target, "number" if regression else "category")


def evaluate_amounts(
    predictor: Predictor,
    examples: Iterable[Chunk],
    target: str,
    advance: Callable[[int], object] | None = None,
) -> dict[str, Any]:
    """Compares a model's amounts with those in a table.

    Args:
        predictor: A `Predictor` that regresses.
        examples: Of `Predictor.examples`, with `target_column` apart.
        target: Name of the column with the amounts.
        advance: Called with the number of rows after each chunk.

    Returns:
        A dict: `examples`, the scores of `regression_scores`, and
        `intervals`, those of `regression_intervals`.

    Raises:
        InputError: If the table has no amount in a row.
    """
    true, predicted = [], []
    for chunk in predictions(predictor, examples):
        true += chunk[target]
        predicted += chunk[PREDICTED[0]].tolist()
        if advance:
            advance(len(chunk[target]))
    y, predicted = np.array(true, "float64"), np.array(predicted)
    return {
        "examples": len(y),
        **regression_scores(y, predicted),
        "intervals": regression_intervals(y, predicted),
    }


def regression_scores(y: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    r"""Returns how near predictions are to the amounts $y$.

    Args:
        y: Shape `(m,)`.
        predicted: $\hat y$, shape `(m,)`.

    Returns:
        `r2`, $1 - \sum (y - \hat y)^2 / \sum (y - \bar y)^2$; `rmse`, the root
        of the mean squared error; and `mae`, the mean absolute error, the last
        two in the unit of $y$.
    """
    error = np.asarray(y, "float64") - predicted
    spread = np.sum((y - np.mean(y)) ** 2)
    return {
        # One example, or all alike, have no spread to explain.
        "r2": float(1 - np.sum(error**2) / spread) if spread else float("nan"),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
    }


def regression_intervals(
    y: np.ndarray, predicted: np.ndarray
) -> dict[str, tuple[float, float]]:
    """Returns the 95 % intervals of `regression_scores`, by the bootstrap.

    Args:
        y: Shape `(m,)`.
        predicted: Likewise.

    Returns:
        Name to bounds; nothing of fewer than three examples.
    """
    if len(y) < 3:
        return {}

    def one(name):
        return lambda *arrays: regression_scores(*arrays)[name]

    return {
        name: bootstrap_interval(one(name), y, predicted)
        for name in ("r2", "rmse", "mae")
    }


def _noting(
    places: list[Places | None], examples: Iterable[Chunk]
) -> Iterable[Chunk]:
    """Yields chunks, and notes where their rows stand."""
    for chunk in examples:
        places.append(chunk.places)
        yield chunk


def _where(places, row):
    """Returns where a row stands, after ` in `, if it is known."""
    for known in places:
        if known is None:
            break
        if row < len(known):
            return f" in {known[row]}"
        row -= len(known)
    return ""


def evaluate(
    predictor: Predictor,
    examples: Iterable[Chunk],
    target: str,
    advance: Callable[[int], object] | None = None,
    source: str | os.PathLike = "the file",
) -> dict[str, Any]:
    """Compares a classifier's answers with the classes in a table.

    Args:
        predictor: A `Predictor` that classifies.
        examples: Of `Predictor.examples`, with `target_column` apart.
        target: Name of the column with the classes.
        advance: Called with the number of rows after each chunk.
        source: What errors call the table.

    Returns:
        A dict, as of `classification_scores`.

    Raises:
        InputError: If the model is no classifier, or the table has a class
            that the model does not know.
    """
    if not predictor.classifies:
        raise InputError(
            "The model has no endpoint that classifies. Export it with labels."
        )
    true, predicted, places = [], [], []
    for chunk in predictions(predictor, _noting(places, examples)):
        true += [spelled(value) for value in chunk[target]]
        predicted += [spelled(value) for value in chunk[PREDICTED[0]]]
        if advance:
            advance(len(chunk[target]))
    labels = [
        spelled(label) for label in predictor.metadata.get("labels") or ()
    ]
    labels = labels or sorted({*true, *predicted})
    unknown = set(true) - set(labels)
    if unknown:
        row = next(i for i, label in enumerate(true) if label in unknown)
        where = _where(places, row)
        raise InputError(
            f"Column {target!r} has the class {true[row]!r}{where}, which the "
            f"model does not know. It knows: {', '.join(labels)}. Correct it, "
            f"or leave such rows out of {source}."
        )
    return classification_scores(true, predicted, labels)


def classification_scores(
    true: Sequence[str], predicted: Sequence[str], labels: Sequence[str]
) -> dict[str, Any]:
    """Returns how good predicted classes are.

    Args:
        true: The right class of each example.
        predicted: The predicted one.
        labels: All classes.

    Returns:
        A dict: `examples`, `accuracy`, in `intervals` its 95 % interval by
        Wilson's score, `labels`, `confusion` (a row for each class, a column
        for each predicted), and for each label in `classes` its `precision`,
        `recall`, `f1-score` and `support`, all as scikit-learn computes them.
    """
    from sklearn.metrics import classification_report, confusion_matrix

    report = classification_report(
        true, predicted, labels=labels, output_dict=True, zero_division=0
    )
    right = sum(a == b for a, b in zip(true, predicted, strict=True))
    return {
        "examples": len(true),
        "accuracy": right / len(true),
        "intervals": {"accuracy": binomial_interval(right, len(true))},
        "labels": labels,
        "confusion": confusion_matrix(true, predicted, labels=labels).tolist(),
        "classes": {label: report[label] for label in labels},
    }


def majority_warning(found: Mapping[str, Any]) -> str | None:
    """Returns a warning where the commonest class would do nearly as well.

    Args:
        found: As of `classification_scores`.

    Returns:
        A sentence or two; or `None` if the accuracy is surely above the share
        of the commonest class, and mends a tenth of its mistakes.
    """
    label, row = max(
        found["classes"].items(), key=lambda item: item[1]["support"]
    )
    share = row["support"] / found["examples"]
    accuracy = found["accuracy"]
    low, _ = found["intervals"]["accuracy"]
    if low > share and accuracy >= share + _LITTLE * (1 - share):
        return None
    more = "little more than" if accuracy > share else "no more than"
    return (
        f"Accuracy {accuracy:.4f} is {more} what always answering {label!r} "
        f"would get, {share:.4f}. Look at precision and recall of the other "
        "classes; search by --objective val_f1, or with --class-weight "
        "balanced."
    )
