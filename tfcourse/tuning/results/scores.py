"""The scores that a finished run says it reached."""

from collections.abc import Mapping, Sequence

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


def scores_text(
    scores: Mapping[str, float],
    intervals: Mapping[str, Sequence[float]] | None = None,
) -> str:
    """Returns scores in one line, without the name of an accuracy.

    Args:
        scores: Name to value.
        intervals: Name to bounds, which stand behind it in brackets.
    """

    def shown(name, value, form):
        bounds = (intervals or {}).get(name)
        return f"{value:{form}}" + (
            f" ({bounds[0]:{form}} to {bounds[1]:{form}})" if bounds else ""
        )

    if list(scores) == ["accuracy"]:
        return shown("accuracy", scores["accuracy"], ".4f")
    return ", ".join(
        f"{NAMES.get(name, name)} {shown(name, value, '.4g')}"
        for name, value in scores.items()
    )
