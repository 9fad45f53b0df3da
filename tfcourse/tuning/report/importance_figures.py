"""The report's plots of what mattered, by Optuna."""

import dataclasses
import itertools
import json
import warnings
from collections.abc import Sequence
from typing import Any

from tfcourse.tuning.report.axes import layout
from tfcourse.tuning.report.scores import scores_to_scale
from tfcourse.tuning.results.axes import HyperparameterAxis
from tfcourse.tuning.results.importance import (
    LEAST,
    TIERS,
    Importances,
    importances,
    tier_of,
)
from tfcourse.tuning.results.optuna_study import to_optuna
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import escaped

_COLORS = ("--c0", "--c2", "--c1", "--c3", "--grey")
# Optuna's grid has a cell for each pair of values.
_MOST_TRIALS = 150


def what_mattered(results: SearchResults) -> Importances:
    """Returns the `Importances`; where there are none, a remark says why."""
    try:
        return importances(results)
    except Exception as error:
        # Whatever another version of Optuna does, the rest can be shown.
        return Importances(
            {},
            {},
            "",
            "Optuna could not estimate what mattered: "
            f"{type(error).__name__}: {error}",
        )


def color_of(name: str) -> str:
    """Returns the colour of a hyperparameter's tier."""
    tier = tier_of(name)
    return _COLORS[-1 if tier is None else tier]


def importance_bars(found: Importances) -> dict[str, Any]:
    """Returns the importances as bars in the colours of the tiers."""
    names = list(found.shares)[::-1]
    shares = [found.shares[name] for name in names]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": shares,
                "y": [escaped(name) for name in names],
                "text": [f"{share:.0%}" for share in shares],
                "textposition": "none",
                "hovertext": [_hover(found, name) for name in names],
                "hoverinfo": "text",
                "marker": {"color": [color_of(name) for name in names]},
                "error_x": _error_bars(found, names),
            }
        ],
        "layout": {
            "xaxis": {
                "title": {"text": "importance"},
                "tickformat": ".0%",
                "rangemode": "tozero",
            },
            "yaxis": {"type": "category", "ticksuffix": "  "},
            "margin": {"l": 20, "r": 20, "t": 15, "b": 50},
            "showlegend": False,
            "bargap": 0.35,
        },
    }


def _error_bars(found, names):
    pairs = [(found.shares[name], *found.ranges[name]) for name in names]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(high - share, 0) for share, _, high in pairs],
        "arrayminus": [max(share - low, 0) for share, low, _ in pairs],
        "color": "--soft",
        "thickness": 1.2,
        "width": 4,
    }


def tiers(
    axes: Sequence[HyperparameterAxis], found: Importances
) -> list[tuple[str, str, str]]:
    """Returns the course's order beside this search's.

    Returns:
        A list of tuples: a tier's text, its colour, and the names in it with
        their places in this search, as text.
    """
    places = {name: n for n, name in enumerate(found.shares, 1)}

    def text(name):
        return f"{name} (place {places[name]})" if name in places else name

    rows = []
    for tier, what in enumerate((*TIERS, "not in the course's list")):
        names = [
            axis.name
            for axis in axes
            if tier_of(axis.name) == (tier if tier < len(TIERS) else None)
        ]
        names.sort(key=lambda name: places.get(name, len(axes)))
        if names or tier < len(TIERS):
            found_here = ", ".join(map(text, names)) or "not searched"
            rows.append((what, _COLORS[tier], found_here))
    return rows


def contour(
    results: SearchResults, found: Importances
) -> dict[str, Any] | None:
    """Returns Optuna's contour plot of the two that mattered most.

    Of the two first in order that enough trials have.

    Returns:
        A plot, or `None` if there are too few trials for one.
    """
    by_name = {axis.name: axis for axis in results.axes}
    pairs = itertools.combinations([by_name[name] for name in found.shares], 2)
    for pair in pairs:
        both = _having(results, pair)
        values = [
            [record.hyperparameters[axis.name] for record in both]
            for axis in pair
        ]
        if len(both) >= LEAST and all(len(set(some)) > 1 for some in values):
            return _contour(results, pair, both)
    return None


def _having(results, pair):
    return [
        record
        for record in results.best[:_MOST_TRIALS]
        if all(axis.name in record.hyperparameters for axis in pair)
    ]


def _contour(results, pair, records):
    # Optuna sorts them by name.
    pair = sorted(pair, key=lambda axis: axis.registered)
    heat, dots = _optuna_contour(results, pair, records)
    x, y = (
        layout(axis, [r.hyperparameters[axis.name] for r in records])
        for axis in pair
    )
    return {
        "data": [_restyled_heat(heat, results), _restyled_dots(dots)],
        "layout": {
            "xaxis": x,
            "yaxis": y,
            "margin": {"l": 60, "r": 10, "t": 15, "b": 50},
            "showlegend": False,
        },
    }


def _optuna_contour(results, pair, records):
    """Returns the contours and the dots of Optuna's plot, as dicts."""
    import optuna

    scores = scores_to_scale(records, results)
    records = [
        dataclasses.replace(record, score=score)
        for record, score in zip(records, scores, strict=True)
    ]
    some = dataclasses.replace(results, records=records)
    with warnings.catch_warnings():
        # Of an interface that Optuna calls experimental.
        warnings.simplefilter("ignore")
        figure = optuna.visualization.plot_contour(
            to_optuna(some),
            params=[axis.registered for axis in pair],
            target_name=results.objective,
        )
    return json.loads(figure.to_json())["data"][:2]


def _restyled_heat(heat, results):
    return {
        **heat,
        "colorscale": [[n / 4, f"--scale {n / 4}"] for n in range(5)],
        "reversescale": results.direction == "min",
        "line": {"width": 0.5, "color": "--line", "smoothing": 1.3},
        "colorbar": {
            "title": {
                "text": escaped(results.objective),
                "side": "right",
                "font": {"size": 13, "color": "--soft"},
            },
            "thickness": 12,
            "outlinewidth": 0,
        },
    }


def _restyled_dots(dots):
    marker = {
        "size": 6,
        "color": "--ink",
        "line": {"width": 1, "color": "--card"},
    }
    return {**dots, "marker": marker, "hoverinfo": "skip"}


def _hover(found, name):
    low, high = found.ranges[name]
    tier = tier_of(name)
    where = "not in the course's list" if tier is None else TIERS[tier]
    return (
        f"<b>{escaped(name)}</b><br>{found.shares[name]:.0%}, in repeated "
        f"draws {low:.0%} to {high:.0%}<br>in the course {where}"
    )
