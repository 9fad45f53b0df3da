"""One page that shows what a search found, and opens offline."""

import html
import json
import math
import pathlib
import re
import secrets
import string
from typing import Any

import plotly.offline

from tfcourse.outputs import check_replaceable, is_page
from tfcourse.tuning.report import importance_figures, search_figures
from tfcourse.tuning.report.advice.what_next import what_next
from tfcourse.tuning.report.evolution.figures import evolution_figures
from tfcourse.tuning.report.parallel_figure import parallel_coordinate
from tfcourse.tuning.report.residual_figure import residuals
from tfcourse.tuning.report.sections import overview, training, trials
from tfcourse.tuning.report.sections.evolution import evolution
from tfcourse.tuning.report.sections.glossary import glossary
from tfcourse.tuning.report.sections.model import model
from tfcourse.tuning.report.sections.next import next_steps
from tfcourse.tuning.report.sections.seeds import seeds
from tfcourse.tuning.report.slice_figure import slice_plot
from tfcourse.tuning.results.importance import Importances
from tfcourse.tuning.results.search_results import (
    SearchResults,
    Source,
    read_results,
)
from tfcourse.utils.atomic_files import write_text

_MEANING = (
    "How clearly each hyperparameter separates the best quarter of the trials "
    "from the rest, less what chance alone would give. Failed trials never "
    "count among the best."
)


def write_report(
    source: Source, path: str | pathlib.Path | None = None
) -> pathlib.Path:
    """Writes a page with all that a search found.

    It is one HTML file that loads nothing from the network.

    Args:
        source: A keras-tuner tuner, the folder of a run of `tfcourse tune`, or
            a keras-tuner project folder.
        path: The file; by default `report.html` in the folder of the run.

    Returns:
        The path.

    Raises:
        InputError: If there is no search, its files cannot be understood, no
            trial has completed, or something else is in the file's place.
    """
    results = read_results(source)
    results.require_completed()
    path = pathlib.Path(path or results.folder / "report.html")
    check_replaceable(path, is_page, "a report of tfcourse")
    write_text(path, _page(results), keep_links=True)
    return path


def figures_of(
    results: SearchResults, found: Importances
) -> dict[str, dict[str, Any]]:
    """Returns the plots of a report by name, those that there are data for.

    Args:
        results: The `SearchResults`.
        found: The `Importances`.
    """
    figures = {"progress": search_figures.optimization_history(results)}
    if any(r.curves.get(results.objective) for r in results.best):
        figures["curves"] = search_figures.learning_curves(results)
    figures |= evolution_figures(results)
    for n, axis in enumerate(results.searched_axes):
        figures[f"slice-{n}"] = slice_plot(results, axis)
    if results.searched_axes:
        figures["parallel"] = parallel_coordinate(results)
    if found.shares:
        figures["importance"] = importance_figures.importance_bars(found)
        contour = importance_figures.contour(results, found)
        if contour:
            figures["contour"] = contour
    of_errors = residuals(results)
    if of_errors:
        figures["residuals"] = of_errors
    if any(record.seconds is not None for record in results.records):
        figures["seconds"] = search_figures.training_times(results)
    return figures


def _page(results):
    found = importance_figures.what_mattered(results)
    figures = figures_of(results, found)
    template = pathlib.Path(__file__).with_name("page.html")
    text = template.read_text(encoding="utf-8")
    parts = {
        "title": overview.title(results),
        "sentence": overview.sentence(results, found),
        "settings": overview.settings(results),
        "facts": overview.facts(results),
        "next": next_steps(what_next(results, found)),
        "model": model(results),
        "seeds": seeds(results),
        "residuals": _residuals(figures),
        "leaderboard": trials.leaderboard(results),
        "progress": _place("progress", 340),
        "curves": _curves(figures),
        "regions": _regions(results),
        "slices": "".join(
            _place(id_, 280) for id_ in figures if "slice" in id_
        ),
        "parallel": _parallel(results, figures),
        "importance": _importance(results, found, figures),
        "failures": trials.failures(results),
        "training": training.training(results),
        "seconds": _place("seconds", 240) if "seconds" in figures else "",
        "provenance": training.provenance(results),
    }
    evolved = evolution(
        results,
        _place("family", 420),
        "".join(_place(id_, 280) for id_ in figures if "schedule" in id_),
    )
    # Of most searches there is none, and no heading.
    text = text.replace("$evolution", evolved.replace("$", "$$"))
    return string.Template(text).substitute(
        # No script runs but those of the page itself.
        nonce=secrets.token_urlsafe(),
        **parts,
        contents=_contents(text),
        glossary=glossary(_words(text) + "".join(parts.values())),
        plotly=plotly.offline.get_plotlyjs(),
        figures=_json(figures),
        trial_curves=_json(_trial_curves(results)),
    )


def _contents(template):
    """Returns links to the headings of the page."""
    headings = re.findall(r'<h2 id="([\w-]+)">(.*?)</h2>', template)
    return "".join(f'<a href="#{id_}">{name}</a>' for id_, name in headings)


def _words(template):
    """Returns what the template says itself."""
    body = template.partition("<main>")[2].partition("</main>")[0]
    return re.sub(r"\$\w+", " ", body)


def _json(value):
    # No tag inside a string may end the script.
    return json.dumps(_finite(value)).replace("<", "\\u003c")


def _trial_curves(results):
    """Returns the curve of each trial, for a reader to pick one out."""
    name = results.objective
    return {
        record.trial: record.curves[name]
        for record in results.best
        if record.curves.get(name)
    }


def _residuals(figures):
    if "residuals" not in figures:
        return ""
    return (
        '<h3>Residuals, on the test set</h3><p class="soft">Each dot is an '
        "example. A pattern around the line, such as a bow or a funnel, shows "
        "something that the model has not learned.</p>"
        + _place("residuals", 320)
    )


def _curves(figures):
    if "curves" in figures:
        return _place("curves", 420)
    return '<p class="soft">No learning curves were kept for this search.</p>'


def _regions(results):
    if len(results.rounds) < 2:
        return ""
    return (
        f" The search went from coarse to fine in {len(results.rounds)} "
        "rounds: each bar above the plot shows the region of one round, in "
        "the colour of its trials, with the first round at the bottom; the "
        "region of the last round is shaded."
    )


def _parallel(results, figures):
    if "parallel" not in figures:
        return ""
    # Wide enough to tell the scales apart; a phone scrolls it.
    width = 95 * (len(results.searched_axes) + 1)
    return _place("parallel", 420, f"min-width:{width}px")


def _importance(results, found, figures):
    remark = f"{_MEANING} {found.remark}" if found.shares else found.remark
    parts = [f'<p class="soft">{html.escape(remark)}</p>']
    rows = "".join(
        f'<li><i style="background:var({color})"></i><span>'
        f"<b>{html.escape(what)}</b><br>{html.escape(here)}</span></li>"
        for what, color, here in importance_figures.tiers(
            results.searched_axes, found
        )
    )
    course = (
        '<div class="card tiers"><h3>In the course\'s order</h3>'
        f"<ul>{rows}</ul></div>"
    )
    if not found.shares:
        return "".join([*parts, course])
    height = 90 + 38 * len(found.shares)
    parts.append(
        f'<div class="pair"><div><h3>In this search, by '
        f"{html.escape(found.method)}</h3>{_place('importance', height)}</div>"
        f"{course}</div>"
    )
    if "contour" in figures:
        names = [
            figures["contour"]["layout"][axis]["title"]["text"]
            for axis in ("xaxis", "yaxis")
        ]
        parts.append(
            f"<h3>{' and '.join(names)} together</h3>{_place('contour', 400)}"
        )
    return "".join(parts)


def _place(id_, height, style=""):
    return (
        f'<div class="card"><div class="plot" id="{id_}" '
        f'style="height:{height}px;{style}"></div></div>'
    )


def _finite(value):
    """Returns the value with `None` for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
