"""What chance has to do with scores: ties, and the luck of the best."""

import collections
import math
from collections.abc import Sequence

from tfcourse.tuning.report.advice.advice import Advice, tune_command
from tfcourse.tuning.results.scores import headline
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.tuning.results.trials import TrialRecord
from tfcourse.utils.intervals import binomial_interval
from tfcourse.utils.text import format_score

# From here on the examples are enough without folds, which cost as much again.
_FEW_EXAMPLES = 5000
_FOLDS = 5


def score_interval(results: SearchResults) -> tuple[float, float] | None:
    """Returns the 95 % interval of the best trial's score.

    Of an accuracy that of a share. The squared error of a regression has the
    relative width that its root has on the development set. Of other scores
    it is not known.
    """
    m = _scored_examples(results)
    score = results.best[0].score
    if results.objective.endswith("accuracy") and m and 0 <= score <= 1:
        return binomial_interval(round(score * m), m)
    dev = results.evaluation.get("dev", {})
    squared = results.objective in ("val_mse", "val_loss")
    if not squared or "rmse" not in dev.get("scores", {}):
        return None
    rmse = dev["scores"]["rmse"]
    if not (rmse and "rmse" in dev["intervals"]):
        return None
    low, high = (bound / rmse for bound in dev["intervals"]["rmse"])
    return score * low**2, score * high**2


def not_apart(results: SearchResults) -> list[TrialRecord]:
    """Returns the trials whose score lies in the interval of the best one's.

    The best is the first of them, and the only one if nothing is known.
    """
    bounds = score_interval(results)
    if bounds is None:
        return results.best[:1]
    return [r for r in results.best if bounds[0] <= r.score <= bounds[1]]


def luck(results: SearchResults) -> float | None:
    r"""Returns by how much chance may have lifted the best accuracy.

    The greatest of $k$ independent normal draws lies, on average, about
    $\Phi^{-1}\left(\frac{k - 3/8}{k + 1/4}\right)$ deviations above their mean;
    $k$ counts the trials that are not apart, and the deviation is that of an
    accuracy on the development set. The trials are scored on the same examples,
    so that it is less.

    Reference:
        Blom (1958), Statistical Estimates and Transformed Beta-Variables.
    """
    from scipy.stats import norm

    m = _scored_examples(results)
    if not (results.objective.endswith("accuracy") and m):
        return None
    ties = not_apart(results)
    mean = sum(r.score for r in ties) / len(ties)
    k = len(ties)
    above = norm.ppf((k - 0.375) / (k + 0.25))
    return float(max(above, 0.0) * math.sqrt(mean * (1 - mean) / m))


def selection_advice(results: SearchResults) -> list[Advice]:
    """Says why the test score lies below that of the development set."""
    result = results.manifest.get("result") or {}
    if not (result.get("dev") and result.get("test")):
        return []
    name, dev = headline(result["dev"])
    _, test = headline(result["test"])
    if not test < dev:
        return []
    texts = [
        f"Test {name} {format_score(test)} is lower than {format_score(dev)} "
        f"on the development set: the best of {len(results.best)} trials was "
        "chosen there, and the luckiest one looks better than it is."
    ]
    lift = luck(results) if name == "accuracy" else None
    if lift:
        texts.append(
            f"Chance alone can raise the best score by up to {lift:.3f}."
        )
    bounds = _test_interval(results)
    more = bounds is not None and dev - (lift or 0) > bounds[1]
    if bounds is not None:
        low, high = map(format_score, bounds)
        texts.append(
            f"On other test examples the score would lie between {low} and "
            f"{high}, "
            + (
                "so the gap is more than chance: the search has tuned to the "
                "development set, or its examples differ in kind."
                if more
                else "so the gap may be chance. The test score is the one to "
                "expect."
            )
        )
    return [
        Advice(
            "The test score is the one to trust",
            " ".join(texts),
            _with_folds(results) if more else (),
        )
    ]


def ties_advice(results: SearchResults) -> list[Advice]:
    """Says how many trials are as good as the best, as far as is known."""
    ties = not_apart(results)
    if len(ties) < 2:
        return []
    bounds = score_interval(results)
    low, high = map(format_score, bounds)
    return [
        Advice(
            "Others are as good as the best",
            f"{len(ties)} of {len(results.best)} trials scored within {low} "
            f"to {high}, the 95 % interval of the best one's "
            f"{results.objective}: on other examples any of them might lead. "
            f"{_cheapest(ties)}",
            _with_folds(results),
        )
    ]


def _cheapest(ties: Sequence[TrialRecord]) -> str:
    """Returns which of them is the smallest network, as far as is plain."""

    def size(record):
        values = record.hyperparameters
        if "units" not in values or "layers" not in values:
            return math.inf
        return values["layers"] * values["units"] ** 2

    small = min(ties, key=size)
    if size(small) == math.inf or small.trial == ties[0].trial:
        return "Choose the simplest of them."
    return f"Trial {small.trial} is the smallest network among them."


def _with_folds(results):
    """Returns the search again, each trial scored on more examples."""
    data = results.manifest.get("data", {})
    settings = results.manifest.get("settings", {})
    alone = ("folds", "dev", "group", "time", "split", "evolve")
    if (
        data.get("train", math.inf) > _FEW_EXAMPLES
        or any(settings.get(name) for name in alone)
        or _rarest(results) < _FOLDS
    ):
        return ()
    return tune_command(results, folds=_FOLDS)


def _rarest(results):
    """Returns how many examples to fold the rarest class has, if known."""
    counts = collections.Counter()
    for part in ("train", "dev"):
        found = results.evaluation.get(part, {})
        for label, row in found.get("classes", {}).items():
            counts[label] += row["support"]
    return min(counts.values(), default=math.inf)


def _scored_examples(results):
    """Returns how many examples a trial's score is of."""
    data = results.manifest.get("data")
    if not data:
        return 0
    if (results.manifest.get("settings") or {}).get("folds"):
        return data["train"] + data["dev"]
    return data["dev"] if results.objective.startswith("val_") else 0


def _test_interval(results):
    intervals = (results.manifest.get("result") or {}).get("intervals", {})
    return next(iter(intervals.get("test", {}).values()), None)
