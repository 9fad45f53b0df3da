"""The scores that a finished run says it reached."""

from collections.abc import Mapping

# What a person asks first: how many are right, or how much is explained.
_FIRST = {"accuracy": "accuracy", "r2": "R²"}
NAMES = {**_FIRST, "rmse": "RMSE", "mae": "mean error"}


def headline(scores: Mapping[str, float]) -> tuple[str, float]:
    """Returns the score that says most, and what to call it.

    Args:
        scores: Name to value.
    """
    name = next((name for name in _FIRST if name in scores), next(iter(scores)))
    return NAMES.get(name, name), scores[name]


def scores_text(scores: Mapping[str, float]) -> str:
    """Returns scores in one line, without the name of an accuracy."""
    if list(scores) == ["accuracy"]:
        return f"{scores['accuracy']:.4f}"
    return ", ".join(
        f"{NAMES.get(name, name)} {value:.4g}" for name, value in scores.items()
    )
