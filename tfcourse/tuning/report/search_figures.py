"""The report's plots of all trials: curves, the course of the search, times.

A plot is a dict of plotly's data and layout. A colour `--name` is that
variable of the page's style sheet, and `--scale 0.3` lies between its colours
for the least and the most: so a plot follows light and dark.
"""

import itertools
from typing import Any

from tfcourse.tuning.report.scores import (
    clipped_scores,
    failed_markers,
    finite,
    hover_text,
    outlier_fence,
    score_axis,
    score_scale,
)
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import escaped, format_score, format_value

_COLORS = ("--c0", "--c1", "--c2", "--c3", "--c4")
# Told apart without colours, too. Dotted is what was seen in training.
_DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot")
_MARKERS = ("circle", "square", "diamond", "triangle-up", "cross")
_PATTERNS = ("", "/", ".", "x", "-")
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}


def learning_curves(results: SearchResults) -> dict[str, Any]:
    """Returns the learning curves, the best trials in colour."""
    name = results.objective
    with_curve = [r for r in results.best if r.curves.get(name)]
    best, others = with_curve[: len(_COLORS)], with_curve[len(_COLORS) :]
    grey = [_curve(record, name, "--grey") for record in others]
    coloured = _best_curves(best, name) + _training_curve(best, name)
    lines = grey + coloured
    epochs = max((len(line["y"]) for line in lines), default=1)
    return {
        "data": [*_joined(grey), *coloured[::-1]],
        "layout": {
            "xaxis": {
                "title": {"text": "epoch"},
                "tickformat": "d",
                **({"dtick": 1} if epochs <= 12 else {}),
            },
            "yaxis": {
                "title": {"text": escaped(name)},
                **_curve_scale(results, lines, coloured),
            },
            "legend": _LEGEND,
            "margin": {"l": 60, "r": 20, "t": 60, "b": 50},
            "hovermode": "closest",
        },
    }


def optimization_history(results: SearchResults) -> dict[str, Any]:
    """Returns the score of each trial in order, and the best so far."""
    place = {record.trial: n for n, record in enumerate(results.records, 1)}
    failed = results.of_status("failed")
    crosses = failed_markers(
        results, failed, [place[r.trial] for r in failed], "failed"
    )
    starts = _round_starts(results, place)
    return {
        "data": [*_scores_in_order(results, place), *crosses],
        "layout": {
            "xaxis": {
                "title": {"text": "trial, in order"},
                "tickformat": "d",
                "range": [0.5, len(place) + 0.5],
                **({"dtick": 1} if len(place) <= 20 else {}),
            },
            "yaxis": score_axis(results),
            "legend": {**_LEGEND, "y": 1.08},
            "margin": {"l": 60, "r": 20, "t": 60, "b": 50},
            "shapes": [_vertical_line(start - 0.5) for start in starts[1:]],
            "annotations": [
                _note_above(f"round {n}", start - 0.5)
                for n, start in enumerate(starts, 1)
                if len(starts) > 1
            ],
        },
    }


def training_times(results: SearchResults) -> dict[str, Any]:
    """Returns the training time of each trial."""
    how = {
        trial: group["how"]
        for group in results.groups
        for trial in group["trials"]
    }
    kinds = list(dict.fromkeys(how.values())) or [""]
    timed = [
        (n, record)
        for n, record in enumerate(results.records, 1)
        if record.seconds is not None
    ]
    bars = []
    for kind, color, pattern in zip(
        kinds,
        itertools.cycle(_COLORS),
        itertools.cycle(_PATTERNS),
        strict=False,
    ):
        some = [(n, r) for n, r in timed if how.get(r.trial, kinds[0]) == kind]
        bars.append(_time_bars(some, kind, color, pattern))
    return {
        "data": bars,
        "layout": {
            "xaxis": {"title": {"text": "trial, in order"}, "tickformat": "d"},
            "yaxis": {"title": {"text": "seconds"}, "rangemode": "tozero"},
            "showlegend": len(kinds) > 1,
            "legend": _LEGEND,
            "margin": {"l": 60, "r": 20, "t": 40, "b": 50},
            "bargap": 0.25,
        },
    }


def _best_curves(best, name):
    return [
        {
            **_curve(record, name, color),
            "mode": "lines+markers",
            "marker": {"size": 7, "color": color, "symbol": marker},
            "line": {"width": 2.5, "color": color, "dash": dash},
            "name": f"trial {escaped(record.trial)}: "
            f"{format_score(record.score)}",
            "showlegend": True,
            "legendrank": rank,
        }
        for rank, (record, color, dash, marker) in enumerate(
            zip(best, _COLORS, _DASHES, _MARKERS, strict=False), 1
        )
    ]


def _training_curve(best, name):
    """Returns the best trial's curve on the training set, if it has one."""
    training = name.removeprefix("val_")
    if not best or training == name or not best[0].curves.get(training):
        return []
    return [
        {
            **_curve(best[0], training, _COLORS[0]),
            "line": {"width": 2, "color": _COLORS[0], "dash": "dot"},
            "name": f"trial {escaped(best[0].trial)}, training",
            "showlegend": True,
            "legendrank": 50,
        }
    ]


def _curve_scale(results, lines, coloured):
    fence = outlier_fence(results)
    if fence is None:
        return score_scale([v for line in lines for v in line["y"]])
    # Grey lines that are far off do not press the others together, nor do the
    # first epochs of a loss.
    shown = [
        v
        for line in coloured
        for v in line["y"][len(line["y"]) // 3 :]
        if v is not None
    ]
    low, high = min([fence, *shown]), max([fence, *shown])
    pad = 0.05 * (high - low)
    return {"range": [low - pad, high + pad]}


def _scores_in_order(results, place):
    """Returns a dot a trial, and the line of the best so far."""
    done = sorted(results.best, key=lambda record: place[record.trial])
    x = [place[record.trial] for record in done]
    scores = [record.score for record in done]
    better = max if results.direction == "max" else min
    y, symbols = clipped_scores(done, results)
    dots = {
        "x": x,
        "y": y,
        "mode": "markers",
        "name": "a trial",
        "text": [hover_text(record, results) for record in done],
        "hoverinfo": "text",
        "marker": {"size": 8, "color": "--grey", "symbol": symbols},
    }
    steps = {
        "x": [*x, len(place)],
        "y": [*itertools.accumulate(scores, better), better(scores)],
        "mode": "lines",
        "name": "best so far",
        "line": {"shape": "hv", "width": 2, "color": "--c0"},
        "hoverinfo": "skip",
    }
    return [dots, steps]


def _round_starts(results, place):
    return [
        place[round_["trials"][0]]
        for round_ in results.rounds
        if round_["trials"] and round_["trials"][0] in place
    ]


def _time_bars(records, kind, color, pattern):
    return {
        "type": "bar",
        "x": [n for n, _ in records],
        "y": [record.seconds for _, record in records],
        "name": escaped(kind),
        "text": [
            f"trial {escaped(r.trial)}<br>{format_value(r.seconds)} s"
            for _, r in records
        ],
        "hoverinfo": "text",
        "textposition": "none",
        "marker": {
            "color": color,
            # By default there is nothing behind the pattern.
            "pattern": {
                "shape": pattern,
                "fillmode": "overlay",
                "fgcolor": "--card",
                "size": 6,
            },
        },
    }


def _curve(record, name, color):
    y = [value if finite(value) else None for value in record.curves[name]]
    return {
        "x": list(range(1, len(y) + 1)),
        "y": y,
        "mode": "lines",
        "line": {"width": 1, "color": color},
        "text": [
            f"trial {escaped(record.trial)}<br>{escaped(name)} "
            f"{escaped(format_value(value))} "
            f"in epoch {n}"
            for n, value in enumerate(y, 1)
        ],
        "hoverinfo": "text",
        "showlegend": False,
    }


def _joined(lines):
    """Returns lines of one colour as one, which is quicker to draw."""
    if not lines:
        return []
    return [
        {
            **lines[0],
            **{
                key: [v for line in lines for v in [*line[key], None]]
                for key in ("x", "y", "text")
            },
            "name": f"{len(lines)} more",
            "opacity": 0.5,
            "showlegend": True,
            "legendrank": 99,
        }
    ]


def _vertical_line(x):
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"width": 1, "dash": "dot", "color": "--soft"},
    }


def _note_above(text, x):
    return {
        "text": text,
        "x": x,
        "y": 1,
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 11, "color": "--soft"},
    }
