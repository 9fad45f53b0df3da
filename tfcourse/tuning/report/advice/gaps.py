"""Bias, variance, and models that need no search, beside the best one."""

from typing import Any

from tfcourse.diagnostics.bias_variance import (
    ADVICE,
    BiasVariance,
    bias_variance,
)
from tfcourse.export.evaluation import majority_warning
from tfcourse.tuning.report.advice.advice import Advice, tune_command
from tfcourse.tuning.results.scores import NAMES, headline
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import format_score

# An error in training that asks for a reason.
_LARGE = 0.05


def errors(results: SearchResults) -> BiasVariance | None:
    """Returns the gaps between the errors of the best model.

    The error of classes is the share that is wrong, that of amounts the share
    of the variance that is not explained, at most 1. In place of the least
    that is possible stands `least_error`. A gap is high from 0.02 on, or from
    where chance ends: half the width of the interval of the error on the
    development set.
    """
    found = results.evaluation
    if not {"train", "dev", "test"} <= set(found):
        return None
    own = {part: _error(found[part]) for part in ("train", "dev", "test")}
    if any(error is None for error in own.values()):
        return None
    first = next(iter(found["dev"]["intervals"].values()), (0.0, 0.0))
    return bias_variance(
        own["train"],
        own["dev"],
        bayes_error=least_error(results)[1],
        test_error=own["test"],
        threshold=min(max(0.02, (first[1] - first[0]) / 2), 1.0),
    )


def least_error(results: SearchResults) -> tuple[str, float]:
    """Returns the lowest error known on examples not trained on, and whose.

    Of the best model and of those that take no search, on the test set. What
    is possible is no more than that, and may be less.
    """
    found = {"the best model": _error(results.evaluation["test"])}
    others = (results.manifest.get("result") or {}).get("baselines", {})
    for name, reached in others.items():
        found[f"the {name}"] = _error({"scores": reached["test"]})
    return min(
        ((name, error) for name, error in found.items() if error is not None),
        key=lambda item: item[1],
    )


def gaps_advice(results: SearchResults) -> list[Advice]:
    """Says what the course advises for the largest of the gaps."""
    found = errors(results)
    if found is None:
        return []
    # The third is told where the test score is.
    high = [name for name in found.high if name in _TITLES]
    if not high:
        return _noise_advice(results, found)
    name, gap = high[0], found.gaps[high[0]]
    kind = (
        "The error"
        if "accuracy" in results.evaluation["dev"]["scores"]
        else "The unexplained share of the variance"
    )
    whose, _ = least_error(results)
    why = (
        f"{kind} is {found.train_error:.1%} in training and "
        f"{found.dev_error:.1%} on the development set; the lowest error "
        f"known on new examples is {found.bayes_error:.1%}, {whose}'s on the "
        f"test set. The {name} is therefore {gap:.1%}. The course advises: "
        f"{ADVICE[name]}."
    )
    return [Advice(_TITLES[name], why, _command(name, results))]


_TITLES = {
    "avoidable bias": "Bias: fit the training set better",
    "variance": "Variance: generalise better",
}


def _noise_advice(results, found):
    """Says what to try where no gap is high, but the error is."""
    if found.train_error < max(found.threshold, _LARGE):
        return []
    return [
        Advice(
            "Bias, or noise",
            f"The error is {found.train_error:.1%} in training and about as "
            "large elsewhere, and no model here does clearly better. If an "
            "expert would do better, this is bias: try a larger network, or "
            "more informative columns. If the training error stays as it is, "
            "it is noise.",
            _command("avoidable bias", results),
        )
    ]


# Larger networks, against bias, and regularized ones, against variance.
_LARGER = {"small": "full", "course": "wide"}
_REGULARIZED = {"course": "full"}


def _command(name, results) -> tuple[str, ...]:
    settings = results.manifest.get("settings", {})
    space = settings.get("space")
    if name == "variance":
        other = _REGULARIZED.get(space)
        return tune_command(results, space=other) if other else ()
    changes: dict[str, Any] = {"epochs": 2 * settings.get("epochs", 10)}
    if space in _LARGER:
        changes["space"] = _LARGER[space]
    return tune_command(results, **changes)


def baseline_advice(results: SearchResults) -> list[Advice]:
    """Says so where a model that needs no search does as well."""
    result = results.manifest.get("result") or {}
    if not result.get("test"):
        return []
    name, score = headline(result["test"])
    as_good = {
        other: headline(reached["test"])[1]
        for other, reached in result.get("baselines", {}).items()
        if headline(reached["test"])[1] >= score
    }
    if not as_good:
        return []
    other, reached = max(as_good.items(), key=lambda item: item[1])
    return [
        Advice(
            f"The {other} does as well",
            f"Its test {name} is {format_score(reached)}, and that of the "
            f"best trial is {format_score(score)}. With few examples a simple "
            "model is hard to beat: more examples or better columns help more "
            "than more trials.",
        )
    ]


def majority_advice(results: SearchResults) -> list[Advice]:
    """Warns where the commonest class would do nearly as well."""
    test = results.evaluation.get("test", {})
    if "classes" not in test:
        return []
    warning = majority_warning({**test, **test["scores"]})
    if warning is None:
        return []
    change = {"class_weight": "balanced"}
    # A space of one's own may not compute it.
    if ":" not in results.manifest.get("settings", {}).get("space", ":"):
        change["objective"] = "val_f1"
    return [
        Advice(
            "Hardly better than the commonest class",
            warning,
            tune_command(results, **change),
        )
    ]


def _error(found):
    scores = found["scores"]
    name = "accuracy" if "accuracy" in scores else "r2"
    if name not in scores or name not in NAMES or scores[name] is None:
        return None
    error = 1 - scores[name]
    return min(max(error, 0.0), 1.0) if error == error else None
