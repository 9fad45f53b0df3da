"""How scores are drawn: their axis, outliers, failed trials, hover texts."""

import math
from collections.abc import Sequence
from typing import Any

from tfcourse.tuning.report.axes import escaped
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.tuning.results.trials import TrialRecord
from tfcourse.utils.text import format_score, format_value


def hover_text(record: TrialRecord, results: SearchResults) -> str:
    """Returns what is shown when a trial is pointed at."""
    lines = [f"<b>trial {escaped(record.trial)}</b>"]
    if record.score is not None:
        lines.append(
            f"{escaped(results.objective)} {format_score(record.score)}"
        )
    else:
        lines.append(f"failed: {escaped(record.message[:80])}")
    lines += [
        f"{escaped(name)} {escaped(format_value(value))}"
        for name, value in record.hyperparameters.items()
    ]
    return "<br>".join(lines)


def failed_markers(
    results: SearchResults,
    records: Sequence[TrialRecord],
    x: Sequence[Any],
    name: str = "",
) -> list[dict[str, Any]]:
    """Returns crosses for failed trials, where the worst scores lie."""
    if not records:
        return []
    worst, _ = clipped_scores(results.best[-1:], results)
    return [
        {
            "x": x,
            "y": worst * len(records),
            "mode": "markers",
            "name": name,
            "text": [hover_text(record, results) for record in records],
            "hoverinfo": "text",
            "marker": {
                "symbol": "x-thin",
                "size": 9,
                "line": {"width": 2, "color": "--bad"},
            },
        }
    ]


def score_axis(results: SearchResults) -> dict[str, Any]:
    """Returns the settings of the axis of scores, alike for all plots.

    A few trials that are far worse than the others would press those together
    at the edge, so that the axis ends before them.
    """
    scores = [record.score for record in results.best]
    fence = outlier_fence(results)
    title = {"title": {"text": escaped(results.objective)}}
    if fence is None:
        return {**title, **score_scale(scores)}
    pad = 0.12 * (scores[0] - fence)
    return {**title, "range": sorted([fence - pad, scores[0] + pad])}


def outlier_fence(results: SearchResults) -> float | None:
    """Returns the worst score that is drawn to scale, or `None` for any.

    One that is worse than the worst quarter begins, by more than one and a half
    times the spread of the middle half, is not.
    """
    scores = [record.score for record in results.best]
    if len(scores) < 8 or score_scale(scores)["type"] == "log":
        return None
    best_quarter, worst_quarter = (
        scores[len(scores) // 4],
        scores[-(len(scores) // 4) - 1],
    )
    end = worst_quarter + 1.5 * (worst_quarter - best_quarter)
    kept = [s for s in scores if (s - end) * (scores[0] - end) >= 0]
    if best_quarter == worst_quarter or len(kept) == len(scores):
        return None
    return kept[-1]


def clipped_scores(
    records: Sequence[TrialRecord], results: SearchResults
) -> tuple[list[float], list[str]]:
    """Returns the scores as drawn, and the symbols: beyond the axis others."""
    fence = outlier_fence(results)
    if fence is None:
        return [r.score for r in records], ["circle"] * len(records)
    best = results.best[0].score
    edge = fence - 0.06 * (best - fence)
    beyond = [(r.score - fence) * (best - fence) < 0 for r in records]
    symbol = "triangle-down" if best > fence else "triangle-up"
    return (
        [edge if b else r.score for r, b in zip(records, beyond, strict=True)],
        [symbol if b else "circle" for b in beyond],
    )


def scores_to_scale(
    records: Sequence[TrialRecord], results: SearchResults
) -> list[float]:
    """Returns the scores; those beyond the axis as the worst that is not."""
    fence = outlier_fence(results)
    if fence is None:
        return [record.score for record in records]
    worse = max if results.direction == "max" else min
    return [worse(record.score, fence) for record in records]


def score_scale(values: Sequence[float | None]) -> dict[str, Any]:
    """Returns the settings of the axis of a score: a loss may want a log."""
    finite = [v for v in values if v is not None]
    if finite and min(finite) > 0 and max(finite) > 100 * min(finite):
        return {"type": "log", "exponentformat": "power", "dtick": 1}
    return {"type": "linear"}


def finite(value: object) -> bool:
    """Returns whether a value is a number that can be drawn."""
    return isinstance(value, (int, float)) and math.isfinite(value)
