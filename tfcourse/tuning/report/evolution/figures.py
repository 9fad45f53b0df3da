"""The report's plots of a population: its family tree, its hyperparameters."""

import itertools
from collections.abc import Sequence
from typing import Any

from tfcourse.tuning.evolution.ancestry import Ancestry
from tfcourse.tuning.report.axes import layout, plot_value
from tfcourse.tuning.report.evolution.family import Family, Line
from tfcourse.tuning.report.scores import finite
from tfcourse.tuning.results.axes import HyperparameterAxis
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.tuning.search_space.scales import to_display
from tfcourse.utils.text import escaped, format_score, format_value

_FILES = ("search", ".")


def ancestry_of(results: SearchResults) -> Ancestry | None:
    """Returns who came of whom, if the search was one of a population."""
    for place in _FILES:
        try:
            found = Ancestry.read(str(results.folder / place))
        except (OSError, ValueError):
            continue
        # That of other members would explain nothing.
        known = {record.trial for record in results.records}
        return found if set(found.trials) <= known else None
    return None


def evolution_figures(results: SearchResults) -> dict[str, dict[str, Any]]:
    """Returns the plots by name; none if the search was not of a population."""
    ancestry = ancestry_of(results)
    if ancestry is None:
        return {}
    found = {"family": family_tree(results, ancestry)}
    for n, axis in enumerate(evolving(results, ancestry)):
        found[f"schedule-{n}"] = schedule(results, ancestry, axis)
    return found


def evolving(
    results: SearchResults, ancestry: Ancestry
) -> list[HyperparameterAxis]:
    """Returns the axes of the hyperparameters that members differ in."""
    names = ancestry.values[0]
    return [a for a in results.searched_axes if a.registered in names]


def family_tree(results: SearchResults, ancestry: Ancestry) -> dict[str, Any]:
    """Returns the lines of all members, no two of which cross."""
    family = Family(ancestry, _epochs(results, ancestry))
    lasting, ended = family.lines()
    best = results.winner
    winner = family.line_of(best.trial, best.best_epoch or 1)
    size = len(ancestry.trials)
    return {
        "data": [
            _lines(ended, "a line that ended", "--grey", 1),
            _lines(lasting, "one that reached the end", "--c0", 1.5),
            _lines([winner], "the winner's", "--ring", 3.5),
            _members(results, family),
            _end(results, winner),
        ],
        "layout": {
            "xaxis": _epoch_axis(family.epochs),
            "yaxis": {
                "title": {"text": f"{size} members"},
                "showticklabels": False,
                "showgrid": False,
                "range": [-1, size],
            },
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 40, "r": 20, "t": 60, "b": 50},
            "hovermode": "closest",
        },
    }


def schedule(
    results: SearchResults, ancestry: Ancestry, axis: HyperparameterAxis
) -> dict[str, Any]:
    """Returns a hyperparameter of the winner, and of all, epoch by epoch."""
    best = results.winner
    own = ancestry.schedule(best.trial, best.best_epoch or 1)
    steps = [_shown(axis, values) for values in own.values]
    points = [
        (generation.epoch, _shown(axis, values))
        for generation in ancestry.generations
        for values in generation.values
    ]
    every = [*steps, *(value for _, value in points)]
    return {
        "data": [
            {
                "x": [epoch for epoch, _ in points],
                "y": [plot_value(axis, value) for _, value in points],
                "mode": "markers",
                "hoverinfo": "skip",
                "opacity": 0.45,
                "marker": {"size": 5, "color": "--grey"},
            },
            {
                "x": [*own.starts, own.epochs],
                "y": [plot_value(axis, value) for value in [*steps, steps[-1]]],
                "mode": "lines+markers",
                "line": {"shape": "hv", "width": 3, "color": "--ring"},
                "marker": {
                    "size": [7] * len(steps) + [0],
                    "color": "--ring",
                },
                "text": [
                    f"from epoch {start + 1}<br>{escaped(axis.name)} "
                    f"{escaped(format_value(value))}"
                    for start, value in zip(own.starts, steps, strict=True)
                ],
                "hoverinfo": "text",
            },
        ],
        "layout": {
            "xaxis": _epoch_axis(_epochs(results, ancestry)),
            "yaxis": layout(axis, every),
            "margin": {"l": 60, "r": 15, "t": 14, "b": 50},
            "showlegend": False,
            "hovermode": "closest",
        },
    }


def _shown(axis: HyperparameterAxis, values: dict[str, Any]) -> Any:
    return to_display(axis.registered, values[axis.registered])[1]


def _epochs(results: SearchResults, ancestry: Ancestry) -> int:
    """Returns for how many epochs the members were trained."""
    lengths = [
        len(curve) for r in results.records for curve in r.curves.values()
    ]
    bests = [record.best_epoch or 1 for record in results.best]
    return max(*lengths, *bests, ancestry.generations[-1].epoch + 1)


def _epoch_axis(epochs: int) -> dict[str, Any]:
    return {
        "title": {"text": "epochs trained"},
        "tickformat": "d",
        "range": [-0.02 * epochs, 1.03 * epochs],
        **({"dtick": 1} if epochs <= 12 else {}),
    }


def _lines(
    lines: Sequence[Line], name: str, color: str, width: float
) -> dict[str, Any]:
    """Returns lines as one, with a gap between one and the next."""
    points = [p for line in lines for p in [*line, (None, None)]][:-1]
    return {
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "mode": "lines",
        "name": name,
        "line": {"width": width, "color": color},
        "hoverinfo": "skip",
    }


def _members(results: SearchResults, family: Family) -> dict[str, Any]:
    """Returns a dot for each copy, and what is said of it."""
    trials, records = (
        family.ancestry.trials,
        {record.trial: record for record in results.records},
    )
    x, y, text = [], [], []
    for places, (before, now) in zip(
        family.places[1:], itertools.pairwise(family.generations), strict=True
    ):
        for k, source in enumerate(now.sources):
            if source == k:
                continue
            x.append(now.epoch)
            y.append(places[k])
            text.append(
                f"<b>trial {escaped(trials[k])}</b> goes on after epoch "
                f"{now.epoch}<br>as a copy of trial {escaped(trials[source])}"
                f"{_score(results, records[trials[source]], now.epoch)}"
                + _changes(before.values[source], now.values[k])
            )
    return {
        "x": x,
        "y": y,
        "mode": "markers",
        "name": "a copy begins",
        "marker": {"size": 4, "color": "--soft"},
        "text": text,
        "hoverinfo": "text",
    }


def _score(results, record, epoch):
    """Returns what a member had reached after an epoch, if that is known."""
    curve = record.curves.get(results.objective, [])
    if len(curve) < epoch or not finite(curve[epoch - 1]):
        return ""
    score = format_score(curve[epoch - 1])
    return f", {escaped(results.objective)} {score}"


def _changes(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Returns which hyperparameters a copy has in the place of which."""
    found = ""
    for registered, value in now.items():
        if value != before[registered]:
            name, new = to_display(registered, value)
            _, old = to_display(registered, before[registered])
            found += (
                f"<br>{escaped(name)} {escaped(format_value(new))}, was "
                f"{escaped(format_value(old))}"
            )
    return found


def _end(results: SearchResults, winner: Line) -> dict[str, Any]:
    best = results.winner
    x, y = winner[-1]
    return {
        "x": [x],
        "y": [y],
        "mode": "markers",
        "name": "its best epoch",
        "marker": {
            "size": 15,
            "symbol": "circle-open",
            "color": "--ring",
            "line": {"width": 2.5},
        },
        "text": [
            f"<b>trial {escaped(best.trial)}</b>, epoch {best.best_epoch}"
            f"<br>{escaped(results.objective)} {format_score(best.score)}"
        ],
        "hoverinfo": "text",
    }
