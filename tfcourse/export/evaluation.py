"""How good a classifier's answers for a table are."""

from collections.abc import Callable, Iterable
from typing import Any

from tfcourse.data.chunks import Chunk
from tfcourse.errors import InputError
from tfcourse.export.predictor import PREDICTED, Predictor, predictions


def evaluate(
    predictor: Predictor,
    examples: Iterable[Chunk],
    target: str,
    advance: Callable[[int], object] | None = None,
) -> dict[str, Any]:
    """Compares a classifier's answers with the classes in a table.

    Args:
        predictor: A `Predictor` that classifies.
        examples: Of `Predictor.examples`, the target among its others.
        target: Name of the column with the classes.
        advance: Called with the number of rows after each chunk.

    Returns:
        A dict: `accuracy`, `examples`, `labels`, `confusion` (a row for each
        class in the table, a column for each predicted), and for each label in
        `classes` its `precision`, `recall`, `f1-score` and `support`, all as
        scikit-learn computes them.

    Raises:
        InputError: If the model is no classifier, or the table has a class
            that the model does not know.
    """
    from sklearn.metrics import classification_report, confusion_matrix

    if not predictor.classifies:
        raise InputError(
            "The model has no endpoint that classifies. Export it with labels."
        )
    true, predicted = [], []
    for chunk in predictions(predictor, examples):
        true += [_text(value) for value in chunk[target]]
        predicted += [_text(value) for value in chunk[PREDICTED[0]]]
        if advance:
            advance(len(chunk[target]))
    labels = [_text(label) for label in predictor.metadata.get("labels") or ()]
    labels = labels or sorted({*true, *predicted})
    unknown = sorted(set(true) - set(labels))
    if unknown:
        raise InputError(
            f"Column {target!r} has the class {unknown[0]!r}, which the model "
            f"does not know. It knows: {', '.join(labels)}."
        )
    report = classification_report(
        true, predicted, labels=labels, output_dict=True, zero_division=0
    )
    right = sum(a == b for a, b in zip(true, predicted, strict=True))
    return {
        "examples": len(true),
        "accuracy": right / len(true),
        "labels": labels,
        "confusion": confusion_matrix(true, predicted, labels=labels).tolist(),
        "classes": {label: report[label] for label in labels},
    }


def _text(value):
    """Returns a class as text, by which a table's and a model's compare."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()
