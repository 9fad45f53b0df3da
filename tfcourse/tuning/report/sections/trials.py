"""The tables of trials: the leaderboard, and what failed."""

import html
from typing import Any

from tfcourse.tuning.report.advice.chance import not_apart, score_interval
from tfcourse.tuning.report.sections.html_table import Html, count, table
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.tuning.results.trials import TrialRecord
from tfcourse.utils.text import format_score

_SHOWN = 10


def leaderboard(results: SearchResults) -> str:
    """Returns the table of the completed trials, the best first.

    A reader can sort and filter it; all but the first ten are folded away.
    """
    names = [axis.name for axis in results.axes]
    training = training_scores(results)
    ties = {record.trial for record in not_apart(results)}
    head = ["trial", results.objective]
    if training:
        head.append(results.objective.removeprefix("val_") + " in training")
    head += [*names, "best epoch", "seconds"]
    rows = [
        [
            _link(record, results),
            _score(record, ties if len(ties) > 1 else ()),
            *([format_score(training[record.trial])] if training else []),
            *(record.hyperparameters.get(name) for name in names),
            record.best_epoch,
            record.seconds and f"{record.seconds:.2f}",
        ]
        for record in results.best
    ]
    inside = table(head, rows, first_is_best=True, sortable=True)
    more = ""
    if len(rows) > _SHOWN:
        more = (
            '<button type="button" class="all" data-more="trials">All '
            f"{len(rows)} completed trials</button>"
        )
    return (
        f"{_tied(results, ties)}"
        '<p class="tools"><label>Filter <input type="search" id="filter" '
        'placeholder="adam, or units &gt; 60"></label></p>'
        f'<div class="card few" id="trials">{inside}</div>{more}'
    )


def training_scores(results: SearchResults) -> dict[str, float]:
    """Returns each completed trial's score in training, in its best epoch.

    Empty unless all have one.
    """
    name = results.objective.removeprefix("val_")
    if name == results.objective:
        return {}
    found = {}
    for record in results.best:
        curve = record.curves.get(name, ())
        epoch = record.best_epoch
        if epoch is None or not epoch <= len(curve):
            return {}
        found[record.trial] = curve[epoch - 1]
    return found


def failures(results: SearchResults) -> str:
    """Returns the table of failed trials and why; or a sentence."""
    failed = results.of_status("failed")
    if not failed:
        return '<p class="soft">None.</p>'
    reasons: dict[str, list[TrialRecord]] = {}
    for record in failed:
        # "in epoch 3" is no other reason than "in epoch 5".
        reasons.setdefault(record.message.split(" in epoch ")[0], []).append(
            record
        )
    names = [axis.name for axis in results.axes]
    tables = []
    for reason, records in sorted(reasons.items(), key=lambda r: -len(r[1])):
        rows: list[list[Any]] = [
            [r.trial, r.message or "no reason given"]
            + [r.hyperparameters.get(name) for name in names]
            for r in records
        ]
        tables.append(
            f"<details{' open' if len(rows) <= _SHOWN else ''}><summary>"
            f"{count(len(rows), 'trial')}: "
            f"{html.escape(reason or 'no reason given')}</summary>"
            f"{table(['trial', 'why', *names], rows)}</details>"
        )
    return f'<div class="card">{"".join(tables)}</div>'


def _link(record, results):
    """Returns the trial's id, which leads to its curve if it has one."""
    trial = html.escape(record.trial)
    if not record.curves.get(results.objective):
        return Html(trial)
    return Html(f'<a href="#curves-title" data-trial="{trial}">{trial}</a>')


def _score(record, ties):
    mark = " ≈" if record.trial in ties else ""
    return Html(f"{format_score(record.score)}{mark}")


def _tied(results, ties):
    if len(ties) < 2:
        return ""
    low, high = map(format_score, score_interval(results))
    return (
        f'<p class="soft">≈ marks {len(ties)} trials that may well be as good '
        f"as the best: their scores lie in its 95 % interval, {low} to "
        f"{high}.</p>"
    )
