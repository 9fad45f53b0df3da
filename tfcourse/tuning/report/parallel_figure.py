"""The report's plot of all hyperparameters at once, a line per trial."""

import itertools
from typing import Any

from tfcourse.tuning.report.axes import (
    position,
    tick_text,
    ticks,
)
from tfcourse.tuning.report.scores import hover_text, outlier_fence
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import escaped, format_score

# A line more is no more to read.
_MOST_LINES = 200
_POINTS = 12
# Where a line passes a hyperparameter that its trial does not have.
_ABSENT = -0.16


def parallel_coordinate(results: SearchResults) -> dict[str, Any]:
    """Returns the trials as lines through the scales of all hyperparameters.

    Not plotly's own `parcoords`, which has no scales and needs WebGL.
    """
    bounds = _score_bounds(results)
    return {
        "data": _lines(results, *bounds),
        "layout": _layout(results, *bounds),
    }


def _score_bounds(results):
    """Returns the scores at the ends of their scale, outliers left out."""
    scores = [record.score for record in results.best[:_MOST_LINES]]
    fence = outlier_fence(results)
    if fence is not None:
        ends = sorted([fence, scores[0]])
        scores = [score for score in scores if ends[0] <= score <= ends[1]]
    return min(scores), max(scores)


def _lines(results, low, high):
    """Returns a line per trial, the best last and so on top of the others."""
    records = results.best[:_MOST_LINES]
    lines = []
    for place, record in reversed(list(enumerate(records))):
        score = (record.score - low) / (high - low) if high > low else 1.0
        heights = [_height(record, axis) for axis in results.searched_axes]
        x, y = _smooth([*heights, min(max(score, 0), 1)])
        lines.append(
            {
                "x": x,
                "y": y,
                "mode": "lines",
                **_style(place, 1 - place / max(len(records) - 1, 1)),
                "text": hover_text(record, results),
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
    return lines


def _style(place, share):
    """Returns colour, width and opacity: the best stands out."""
    if place == 0:
        return {"line": {"color": "--ring", "width": 3.5}, "opacity": 1}
    return {
        "line": {"color": f"--scale {share:.3f}", "width": 1 + share},
        "opacity": 0.35 + 0.5 * share,
    }


def _height(record, axis):
    if axis.name not in record.hyperparameters:
        return _ABSENT
    return position(axis, record.hyperparameters[axis.name])


def _layout(results, low, high):
    axes = results.searched_axes
    names = [axis.name for axis in axes] + [results.objective]
    absent = _absent_labels(results)
    return {
        "xaxis": {
            "range": [-0.25, len(axes) + 0.45],
            "tickvals": list(range(len(names))),
            "ticktext": [f"<b>{escaped(name)}</b>" for name in names],
            "side": "top",
            "showgrid": False,
            "fixedrange": True,
            "tickangle": 0,
            # By default a name that reaches beyond the plot is left out.
            "ticklabeloverflow": "allow",
        },
        "yaxis": {
            "visible": False,
            "range": [-0.22 if absent else -0.06, 1.06],
            "fixedrange": True,
        },
        "margin": {
            "l": _room(names[0]),
            "r": _room(names[-1]),
            "t": 40,
            "b": 10,
        },
        "shapes": [_vertical_line(n) for n in range(len(names))],
        "annotations": [
            *_tick_labels(axes),
            *_score_labels(results, low, high),
            *absent,
        ],
        "hovermode": "closest",
    }


def _room(name):
    """Returns the pixels that half of a name may need beside the plot."""
    return max(10, 4 * len(name) - 10)


def _tick_labels(axes):
    return [
        _label(n, position(axis, tick), tick_text(axis, tick))
        for n, axis in enumerate(axes)
        for tick in ticks(axis)
    ]


def _score_labels(results, low, high):
    fence = outlier_fence(results)
    # Scores beyond the fence lie at the end of the scale.
    least = "≤ " if fence == low else ""
    most = "≥ " if fence == high else ""
    x = len(results.searched_axes)
    return [
        _label(x, 0, least + format_score(low)),
        _label(x, 1, most + format_score(high)),
    ]


def _absent_labels(results):
    records = results.best[:_MOST_LINES]
    return [
        _label(n, _ABSENT, "none")
        for n, axis in enumerate(results.searched_axes)
        if any(axis.name not in r.hyperparameters for r in records)
    ]


def _smooth(heights):
    """Returns points of a line that is level where it meets each scale."""
    x, y = [0.0], [heights[0]]
    for n, (start, end) in enumerate(itertools.pairwise(heights)):
        for k in range(1, _POINTS + 1):
            t = k / _POINTS
            x.append(round(n + t, 3))
            y.append(round(start + (end - start) * t * t * (3 - 2 * t), 4))
    return x, y


def _label(x, y, text):
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


def _vertical_line(x):
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "line": {"width": 1.5, "color": "--soft"},
        "layer": "below",
    }
