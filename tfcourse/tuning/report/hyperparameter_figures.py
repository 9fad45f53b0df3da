"""The report's plots of one hyperparameter each, and of all at once."""

import itertools

from tfcourse.tuning.report.axes import (
    drawn,
    layout,
    plain,
    position,
    tick_text,
    ticks,
)
from tfcourse.tuning.report.search_figures import (
    failures,
    fence_of,
    heights,
    label,
    score_axis,
)
from tfcourse.utils.text import format_score

# A line more is no more to read.
MOST_LINES = 200
_POINTS = 12
# Where a line passes a hyperparameter that its trial does not have.
_ABSENT = -0.16


def slice_of(results, axis):
    """Returns score against a hyperparameter, with the region of each round.

    The dots of a round have the colour of its bar above the plot.
    """
    having = [r for r in results.records if axis.name in r.hyperparameters]
    scored = {record.trial for record in results.best}
    done = [record for record in having if record.trial in scored]
    failed = [record for record in having if record.status == "failed"]

    def x(records):
        return [drawn(axis, r.hyperparameters[axis.name]) for r in records]

    colors = _colors(results)
    y, symbols = heights(done, results)
    dots = {
        "x": x(done),
        "y": y,
        "mode": "markers",
        "type": "scatter",
        "text": [label(record, results) for record in done],
        "hoverinfo": "text",
        "marker": {
            "size": 9,
            "symbol": symbols,
            "color": [colors.get(record.trial, "--c0") for record in done],
            "line": {"width": 1, "color": "--card"},
        },
    }
    best = [record for record in results.best[:1] if record in done]
    ring = {
        "x": x(best),
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
    values = [record.hyperparameters[axis.name] for record in having]
    bars = _region_bars(results.rounds, axis)
    return {
        "data": [dots, *failures(results, failed, x(failed)), ring],
        "layout": {
            "xaxis": layout(axis, values),
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


def parallel(results):
    """Returns the trials as lines through the scales of all hyperparameters.

    Not plotly's own `parcoords`, which has no scales and needs WebGL.
    """
    axes = results.axes
    records = results.best[:MOST_LINES]
    scores = [record.score for record in records]
    fence = fence_of(results)
    if fence is not None:
        scores = [s for s in scores if min(fence, scores[0]) <= s]
        scores = [s for s in scores if s <= max(fence, scores[0])]
    low, high = min(scores), max(scores)

    def height(record, axis):
        if axis.name not in record.hyperparameters:
            return _ABSENT
        return position(axis, record.hyperparameters[axis.name])

    lines = []
    for place, record in reversed(list(enumerate(records))):
        score = (record.score - low) / (high - low) if high > low else 1.0
        score = min(max(score, 0), 1)
        share = 1 - place / max(len(records) - 1, 1)
        x, y = _smooth([*(height(record, axis) for axis in axes), score])
        lines.append(
            {
                "x": x,
                "y": y,
                "mode": "lines",
                "line": {
                    "color": "--ring" if place == 0 else f"--scale {share:.3f}",
                    "width": 3.5 if place == 0 else 1 + share,
                },
                "opacity": 1 if place == 0 else 0.35 + 0.5 * share,
                "text": label(record, results),
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
    names = [axis.name for axis in axes] + [results.objective]
    marks = [
        _mark(n, position(axis, tick), tick_text(axis, tick))
        for n, axis in enumerate(axes)
        for tick in ticks(axis)
    ]
    marks += [
        _mark(len(axes), 0, _beyond(fence == low, "≤") + format_score(low)),
        _mark(len(axes), 1, _beyond(fence == high, "≥") + format_score(high)),
    ]
    absent = [
        _mark(n, _ABSENT, "none")
        for n, axis in enumerate(axes)
        if any(axis.name not in r.hyperparameters for r in records)
    ]
    return {
        "data": lines,
        "layout": {
            "xaxis": {
                "range": [-0.25, len(axes) + 0.45],
                "tickvals": list(range(len(names))),
                "ticktext": [f"<b>{plain(name)}</b>" for name in names],
                "side": "top",
                "showgrid": False,
                "fixedrange": True,
                "tickangle": 0,
            },
            "yaxis": {
                "visible": False,
                "range": [-0.22 if absent else -0.06, 1.06],
                "fixedrange": True,
            },
            "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
            "shapes": [_upright(n) for n in range(len(names))],
            "annotations": marks + absent,
            "hovermode": "closest",
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
            bars.append(
                {
                    "type": "rect",
                    "x0": low,
                    "x1": high,
                    "yref": "paper",
                    "ysizemode": "pixel",
                    "yanchor": 1,
                    "y0": 4 + 7 * n,
                    "y1": 9 + 7 * n,
                    "line": {"width": 0},
                    "fillcolor": _color(n, len(rounds)),
                }
            )
            if n == len(rounds) - 1:
                # What the last round was left with, through the plot.
                bars.append(
                    {
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
                )
    return bars


def _intervals(regions, axis):
    if axis.kind != "category":
        return [
            (drawn(axis, region["low"]), drawn(axis, region["high"]))
            for region in regions
        ]
    names = list(axis.values)
    values = {value for region in regions for value in region["values"]}
    places = [names.index(value) for value in values & set(names)]
    return [(place - 0.4, place + 0.4) for place in sorted(places)]


def _smooth(heights):
    """Returns points of a line that is level where it meets each scale."""
    x, y = [0.0], [heights[0]]
    for n, (start, end) in enumerate(itertools.pairwise(heights)):
        for k in range(1, _POINTS + 1):
            t = k / _POINTS
            x.append(round(n + t, 3))
            y.append(round(start + (end - start) * t * t * (3 - 2 * t), 4))
    return x, y


def _beyond(is_fence, sign):
    return f"{sign} " if is_fence else ""


def _mark(x, y, text):
    return {
        "text": text,
        "x": x,
        "y": y,
        "xanchor": "left",
        "xshift": 5,
        "showarrow": False,
        "font": {"size": 11, "color": "--soft"},
        "bgcolor": "--card",
        "borderpad": 1,
        "opacity": 0.9,
    }


def _upright(x):
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "line": {"width": 1.5, "color": "--soft"},
        "layer": "below",
    }
