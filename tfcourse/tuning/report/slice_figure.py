"""The report's plots of the score against one hyperparameter each."""

from collections.abc import Sequence
from typing import Any

from tfcourse.tuning.report.axes import layout, plot_value
from tfcourse.tuning.report.scores import (
    clipped_scores,
    failed_markers,
    hover_text,
    score_axis,
)
from tfcourse.tuning.results.axes import HyperparameterAxis
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.tuning.results.trials import TrialRecord


def slice_plot(
    results: SearchResults, axis: HyperparameterAxis
) -> dict[str, Any]:
    """Returns score against a hyperparameter, with the region of each round.

    The dots of a round have the colour of its bar above the plot.
    """
    having = [r for r in results.records if axis.name in r.hyperparameters]
    scored = {record.trial for record in results.best}
    done = [record for record in having if record.trial in scored]
    failed = [record for record in having if record.status == "failed"]
    bars = _region_bars(results.rounds, axis)
    return {
        "data": [
            _dots(results, done, axis),
            *failed_markers(results, failed, _positions(failed, axis)),
            _ring([r for r in results.best[:1] if r in done], axis),
        ],
        "layout": {
            "xaxis": layout(
                axis, [record.hyperparameters[axis.name] for record in having]
            ),
            "yaxis": score_axis(results),
            "margin": {
                "l": 60,
                "r": 15,
                "t": 14 + 7 * (len(results.rounds) if bars else 0),
                "b": 50,
            },
            "shapes": bars,
            "showlegend": False,
        },
    }


def _positions(records, axis):
    return [plot_value(axis, r.hyperparameters[axis.name]) for r in records]


def _dots(results, records, axis):
    colors = _colors(results)
    y, symbols = clipped_scores(records, results)
    return {
        "x": _positions(records, axis),
        "y": y,
        "mode": "markers",
        "type": "scatter",
        "text": [hover_text(record, results) for record in records],
        "hoverinfo": "text",
        "marker": {
            "size": 9,
            "symbol": symbols,
            "color": [colors.get(record.trial, "--c0") for record in records],
            "line": {"width": 1, "color": "--card"},
        },
    }


def _ring(best: Sequence[TrialRecord], axis):
    """Returns the mark of the best trial."""
    return {
        "x": _positions(best, axis),
        "y": [record.score for record in best],
        "mode": "markers",
        "hoverinfo": "skip",
        "marker": {
            "size": 17,
            "symbol": "circle-open",
            "color": "--ring",
            "line": {"width": 2.5},
        },
    }


def _colors(results):
    """Returns a colour for each trial of a search in rounds."""
    if len(results.rounds) < 2:
        return {}
    return {
        trial: _color(n, len(results.rounds))
        for n, round_ in enumerate(results.rounds)
        for trial in round_["trials"]
    }


def _color(n, rounds):
    return f"--scale {0.25 + 0.75 * n / (rounds - 1):.3f}"


def _region_bars(rounds, axis):
    """Returns a bar above the plot for each round, as wide as its region."""
    if len(rounds) < 2:
        return []
    bars = []
    for n, round_ in enumerate(rounds):
        regions = [r for r in round_["regions"] if r["name"] == axis.name]
        for low, high in _intervals(regions, axis):
            bars.append(_bar_above(low, high, n, _color(n, len(rounds))))
            if n == len(rounds) - 1:
                bars.append(_shade(low, high))
    return bars


def _bar_above(low, high, n, color):
    return {
        "type": "rect",
        "x0": low,
        "x1": high,
        "yref": "paper",
        "ysizemode": "pixel",
        "yanchor": 1,
        "y0": 4 + 7 * n,
        "y1": 9 + 7 * n,
        "line": {"width": 0},
        "fillcolor": color,
    }


def _shade(low, high):
    """Returns what the last round was left with, through the plot."""
    return {
        "type": "rect",
        "x0": low,
        "x1": high,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"width": 0},
        "fillcolor": "--tint",
    }


def _intervals(regions, axis):
    if axis.kind != "category":
        return [
            (plot_value(axis, region["low"]), plot_value(axis, region["high"]))
            for region in regions
        ]
    names = list(axis.values)
    values = {value for region in regions for value in region["values"]}
    places = [names.index(value) for value in values & set(names)]
    return [(place - 0.4, place + 0.4) for place in sorted(places)]
