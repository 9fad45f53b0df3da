"""The report's plots of all trials: curves, the course of the search, times.

A plot is a dict of plotly's data and layout. A colour `--name` is that
variable of the page's style sheet, and `--scale 0.3` lies between its colours
for the least and the most: so a plot follows light and dark.
"""

import itertools
import math

from tfcourse.tuning.report.axes import plain
from tfcourse.utils.text import format_score, format_value

_COLORS = ("--c0", "--c1", "--c2", "--c3", "--c4")


def curves(results):
    """Returns the learning curves, the best trials in colour."""
    name = results.objective
    with_curve = [r for r in results.best if r.curves.get(name)]
    best, others = with_curve[: len(_COLORS)], with_curve[len(_COLORS) :]
    lines = [_curve(record, name, "--grey") for record in others]
    grey = _joined(lines)
    coloured = [
        {
            **_curve(record, name, color),
            "mode": "lines+markers",
            "marker": {"size": 6, "color": color},
            "line": {"width": 2.5, "color": color},
            "name": f"trial {record.trial}: {format_score(record.score)}",
            "showlegend": True,
            "legendrank": rank,
        }
        for rank, (record, color) in enumerate(
            zip(best, _COLORS, strict=False), 1
        )
    ]
    training = name.removeprefix("val_")
    if best and training != name and best[0].curves.get(training):
        own = _curve(best[0], training, _COLORS[0])
        own["line"] = {"width": 2, "color": _COLORS[0], "dash": "dot"}
        own |= {"name": f"trial {best[0].trial}, training", "showlegend": True}
        coloured.append({**own, "legendrank": 50})
    values = [v for line in lines + coloured for v in line["y"]]
    scale = scale_of(values)
    fence = fence_of(results)
    if fence is not None:
        # Grey lines that are far off do not press the others together.
        drawn = [v for line in coloured for v in line["y"] if v is not None]
        low, high = min([fence, *drawn]), max([fence, *drawn])
        pad = 0.05 * (high - low)
        scale = {"range": [low - pad, high + pad]}
    epochs = max((len(line["y"]) for line in lines + coloured), default=1)
    return {
        "data": [*grey, *coloured[::-1]],
        "layout": {
            "xaxis": {
                "title": {"text": "epoch"},
                "tickformat": "d",
                **({"dtick": 1} if epochs <= 12 else {}),
            },
            "yaxis": {"title": {"text": plain(name)}, **scale},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 60, "r": 20, "t": 60, "b": 50},
            "hovermode": "closest",
        },
    }


def progress(results):
    """Returns the score of each trial in order, and the best so far."""
    place = {record.trial: n for n, record in enumerate(results.records, 1)}
    done = sorted(results.best, key=lambda record: place[record.trial])
    x = [place[record.trial] for record in done]
    scores = [record.score for record in done]
    better = max if results.direction == "max" else min
    y, symbols = heights(done, results)
    steps = {
        "x": [*x, len(place)],
        "y": [*itertools.accumulate(scores, better), better(scores)],
        "mode": "lines",
        "name": "best so far",
        "line": {"shape": "hv", "width": 2, "color": "--c0"},
        "hoverinfo": "skip",
    }
    dots = {
        "x": x,
        "y": y,
        "mode": "markers",
        "name": "a trial",
        "text": [label(record, results) for record in done],
        "hoverinfo": "text",
        "marker": {"size": 8, "color": "--grey", "symbol": symbols},
    }
    failed = results.of_status("failed")
    crosses = failures(
        results, failed, [place[r.trial] for r in failed], "failed"
    )
    starts = [
        place[round_["trials"][0]]
        for round_ in results.rounds
        if round_["trials"] and round_["trials"][0] in place
    ]
    return {
        "data": [dots, steps, *crosses],
        "layout": {
            "xaxis": {
                "title": {"text": "trial, in order"},
                "tickformat": "d",
                "range": [0.5, len(place) + 0.5],
                **({"dtick": 1} if len(place) <= 20 else {}),
            },
            "yaxis": score_axis(results),
            "legend": {"orientation": "h", "y": 1.08, "yanchor": "bottom"},
            "margin": {"l": 60, "r": 20, "t": 60, "b": 50},
            "shapes": [_upright(start - 0.5) for start in starts[1:]],
            "annotations": [
                _above(f"round {n}", start - 0.5)
                for n, start in enumerate(starts, 1)
                if len(starts) > 1
            ],
        },
    }


def seconds(results):
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
    for kind, color in zip(kinds, itertools.cycle(_COLORS), strict=False):
        some = [(n, r) for n, r in timed if how.get(r.trial, kinds[0]) == kind]
        bars.append(
            {
                "type": "bar",
                "x": [n for n, _ in some],
                "y": [record.seconds for _, record in some],
                "name": plain(kind),
                "text": [
                    f"trial {r.trial}<br>{format_value(r.seconds)} s"
                    for _, r in some
                ],
                "hoverinfo": "text",
                "textposition": "none",
                "marker": {"color": color},
            }
        )
    return {
        "data": bars,
        "layout": {
            "xaxis": {"title": {"text": "trial, in order"}, "tickformat": "d"},
            "yaxis": {"title": {"text": "seconds"}, "rangemode": "tozero"},
            "showlegend": len(kinds) > 1,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 60, "r": 20, "t": 40, "b": 50},
            "bargap": 0.25,
        },
    }


def label(record, results):
    """Returns what is shown when a trial is pointed at."""
    lines = [f"<b>trial {record.trial}</b>"]
    if record.score is not None:
        lines.append(f"{plain(results.objective)} {format_score(record.score)}")
    else:
        lines.append(f"failed: {plain(record.message)[:80]}")
    lines += [
        f"{plain(name)} {plain(format_value(value))}"
        for name, value in record.hyperparameters.items()
    ]
    return "<br>".join(lines)


def failures(results, records, x, name=""):
    """Returns crosses for failed trials, where the worst scores lie."""
    if not records:
        return []
    worst, _ = heights(results.best[-1:], results)
    return [
        {
            "x": x,
            "y": worst * len(records),
            "mode": "markers",
            "name": name,
            "text": [label(record, results) for record in records],
            "hoverinfo": "text",
            "marker": {
                "symbol": "x-thin",
                "size": 9,
                "line": {"width": 2, "color": "--bad"},
            },
        }
    ]


def score_axis(results):
    """Returns the settings of the axis of scores, alike for all plots.

    A few trials that are far worse than the others would press those together
    at the edge, so that the axis ends before them.
    """
    scores = [record.score for record in results.best]
    fence = fence_of(results)
    title = {"title": {"text": plain(results.objective)}}
    if fence is None:
        return {**title, **scale_of(scores)}
    pad = 0.12 * (scores[0] - fence)
    return {**title, "range": sorted([fence - pad, scores[0] + pad])}


def fence_of(results):
    """Returns the worst score that is drawn to scale, or `None` for any.

    One that is worse than the worst quarter begins, by more than one and a half
    times the spread of the middle half, is not.
    """
    scores = [record.score for record in results.best]
    if len(scores) < 8 or scale_of(scores)["type"] == "log":
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


def heights(records, results):
    """Returns the scores as drawn, and the symbols: beyond the axis others."""
    fence = fence_of(results)
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


def scale_of(values):
    """Returns the settings of the axis of a score: a loss may want a log."""
    finite = [v for v in values if v is not None]
    if finite and min(finite) > 0 and max(finite) > 100 * min(finite):
        return {"type": "log", "exponentformat": "power", "dtick": 1}
    return {"type": "linear"}


def _curve(record, name, color):
    y = [value if _finite(value) else None for value in record.curves[name]]
    return {
        "x": list(range(1, len(y) + 1)),
        "y": y,
        "mode": "lines",
        "line": {"width": 1, "color": color},
        "text": [
            f"trial {record.trial}<br>{plain(name)} {format_value(value)} "
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


def _finite(value):
    return isinstance(value, (int, float)) and math.isfinite(value)


def _upright(x):
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"width": 1, "dash": "dot", "color": "--soft"},
    }


def _above(text, x):
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
