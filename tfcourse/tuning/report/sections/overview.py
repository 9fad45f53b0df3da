"""The report's sentences and tables, as HTML."""

import datetime
import html
from collections.abc import Sequence

from tfcourse import __version__
from tfcourse.tuning.report.axes import position
from tfcourse.tuning.results.importance import Importances
from tfcourse.tuning.results.scores import headline
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.tuning.results.trials import count_programs
from tfcourse.utils.text import duration, format_score, format_value

_MOST_TRIALS = 10


def title(results: SearchResults) -> str:
    """Returns the heading."""
    return f"Search on {html.escape(results.name)}"


def sentence(results: SearchResults, found: Importances) -> str:
    """Returns what was searched and what was found.

    Args:
        results: The `SearchResults`.
        found: The `Importances`.
    """
    text = f"{_searched(results)} {_reached(results)}."
    first = next(iter(found.shares), None)
    if first is not None and found.stands_out(first):
        text += f" What mattered most was {html.escape(first)}."
    edges = _at_an_edge(results)
    if edges:
        text += (
            f" Its {html.escape(' and '.join(edges))} "
            f"{'lies' if len(edges) == 1 else 'lie'} at the edge of what was "
            "searched: a wider range may do better."
        )
    manifest = results.manifest
    if manifest and not manifest.get("result"):
        wanted = manifest["settings"].get("trials", 0)
        text += (
            f" The search is not finished: {len(results.best)} of "
            f"{_count(wanted, 'trial')} have completed."
        )
    return text


def _searched(results):
    """Returns the sentence on how many trials of what were for which goal."""
    manifest = results.manifest
    where = trained = ""
    if manifest:
        data = manifest["data"]
        where = (
            f" on {data['train']:,} training examples of "
            f"{html.escape(data['name'])}"
        )
        trained = f" of up to {_count(manifest['settings']['epochs'], 'epoch')}"
    goal = "highest" if results.direction == "max" else "lowest"
    return (
        f"{_count(len(results.records), 'trial')}{trained} searched "
        f"{_count(len(results.axes), 'hyperparameter')}{where} for the "
        f"{goal} {html.escape(results.objective)}."
    )


def _reached(results):
    """Returns what the best trial reached, without a full stop."""
    best = results.best[0]
    text = (
        f"The best, trial {best.trial}, reached "
        f"<b>{format_score(best.score)}</b>"
    )
    result = results.manifest.get("result")
    if not result:
        return text
    name, score = headline(result["test"])
    reached = (
        f"gets <b>{score:.1%}</b> right"
        if name == "accuracy"
        else f"reaches an {name} of <b>{format_score(score)}</b>"
    )
    return (
        f"{text}; on the {results.manifest['data']['test']:,} examples of the "
        f"test set, by which nothing was chosen, its model {reached}"
    )


def settings(results: SearchResults) -> str:
    """Returns the best trial's hyperparameters as labels."""
    return "".join(
        f'<span class="chip">{html.escape(name)} '
        f"<b>{html.escape(format_value(value))}</b></span>"
        for name, value in results.best[0].hyperparameters.items()
    )


def facts(results: SearchResults) -> str:
    """Returns the numbers that a reader looks for first."""
    result = results.manifest.get("result") or {}
    times = [r.seconds for r in results.records if r.seconds is not None]
    failed = len(results.of_status("failed"))
    values = {
        f"best {results.objective}": format_score(results.best[0].score),
    }
    if result:
        name, score = headline(result["test"])
        values |= (
            {"accuracy on the test set": f"{score:.1%}"}
            if name == "accuracy"
            else {f"{name} on the test set": format_score(score)}
        )
        values |= {
            f"{name}, of {other}": (
                f"{headline(reached['test'])[1]:.1%}"
                if name == "accuracy"
                else format_score(headline(reached["test"])[1])
            )
            for other, reached in result.get("baselines", {}).items()
        }
    values["trials" + (f", {failed} of them failed" if failed else "")] = str(
        len(results.records)
    )
    if times:
        mean = sum(times) / len(times)
        values["training time a trial"] = f"{mean:.2g} s"
        values["training time of all"] = duration(sum(times))
    return "".join(
        f'<div class="fact"><b>{html.escape(value)}</b>'
        f"<span>{html.escape(what)}</span></div>"
        for what, value in values.items()
    )


def leaderboard(results: SearchResults) -> str:
    """Returns the table of the best trials."""
    return _trials(results, results.best[:_MOST_TRIALS])


def all_trials(results: SearchResults) -> str:
    """Returns the table of the completed trials, folded; or nothing."""
    if len(results.best) <= _MOST_TRIALS:
        return ""
    return (
        f"<details><summary>All {len(results.best)} completed trials"
        f"</summary>{_trials(results, results.best)}</details>"
    )


def failures(results: SearchResults) -> str:
    """Returns the table of failed trials and why; or a sentence."""
    failed = results.of_status("failed")
    if not failed:
        return '<p class="soft">None.</p>'
    reasons = {}
    for record in failed:
        # "in epoch 3" is no other reason than "in epoch 5".
        reasons.setdefault(record.message.split(" in epoch ")[0], []).append(
            record
        )
    names = [axis.name for axis in results.axes]
    tables = []
    for reason, records in sorted(reasons.items(), key=lambda r: -len(r[1])):
        rows = [
            [r.trial, r.message or "no reason given"]
            + [r.hyperparameters.get(name) for name in names]
            for r in records
        ]
        tables.append(
            f"<details{' open' if len(rows) <= _MOST_TRIALS else ''}><summary>"
            f"{_count(len(rows), 'trial')}: "
            f"{html.escape(reason or 'no reason given')}</summary>"
            f"{table(['trial', 'why', *names], rows)}</details>"
        )
    return f'<div class="card">{"".join(tables)}</div>'


def training(results: SearchResults) -> str:
    """Returns the table of how the trials were trained, alike ones together."""
    if not results.groups:
        return (
            '<p class="soft">Each trial was trained by itself, one after the '
            "other.</p>"
        )
    alike = {}
    for group in results.groups:
        key = (group["how"], group["why"], group.get("advice", ""))
        some, members, seconds = alike.get(key, ([], 0, 0.0))
        alike[key] = (
            [*some, group],
            members + group["members"],
            seconds + group["seconds"],
        )
    rows = [
        [
            how,
            count_programs(some) or "",
            members,
            f"{seconds:.3g}",
            f"{seconds / max(members, 1):.2g}",
            why,
            advice,
        ]
        for (how, why, advice), (some, members, seconds) in alike.items()
    ]
    head = ["how", "programs", "trials", "seconds", "seconds a trial", "why"]
    head.append("what to change")
    together = count_programs(results.groups)
    text = (
        f'<p class="soft">Trials of one structure are trained as one program. '
        f"Here were {_count(together, 'such program')}.</p>"
    )
    return f'{text}<div class="card">{table(head, rows)}</div>'


def provenance(results: SearchResults) -> str:
    """Returns data, seed and versions."""
    manifest = results.manifest
    now = datetime.datetime.now().isoformat(" ", "minutes")
    report = [["this page", f"tfcourse {__version__}, {now}"]]
    if not manifest:
        rows = [["project", str(results.folder)]]
        return table(None, rows + report, text=True)
    data, settings = manifest["data"], manifest["settings"]
    sizes = ", ".join(f"{data[part]:,}" for part in ("train", "dev", "test"))
    others = {
        name: value
        for name, value in settings.items()
        if name not in ("data", "trials", "epochs", "objective")
        and value is not None
    }
    rows = [
        ["data", f"{data['name']}: {data['source']}"],
        ["fingerprint of the data", data["fingerprint"][:16]],
        ["training, development, test", sizes],
        *[
            [name.replace("_", " "), format_value(v)]
            for name, v in others.items()
        ],
        ["versions", ", ".join(map(" ".join, manifest["versions"].items()))],
        ["searched", manifest.get("written", "").replace("T", " ")],
    ]
    return table(None, rows + report, text=True)


def table(
    head: Sequence[str] | None,
    rows: Sequence[Sequence[object]],
    *,
    first_is_best: bool = False,
    text: bool = False,
) -> str:
    """Returns a table; columns with words go to the left.

    Args:
        head: Names of the columns, or `None`.
        rows: A list of lists.
        first_is_best: Whether to mark the first row.
        text: Whether all columns have words.
    """
    words = [
        text or any(map(_is_word, column)) for column in zip(*rows, strict=True)
    ]

    def line(values, tag):
        return "".join(
            f"<{tag}{' class=text' if is_word else ''}>"
            f"{html.escape(format_value(value))}</{tag}>"
            for value, is_word in zip(values, words, strict=True)
        )

    body = [
        f"<tr{' class=best' if first_is_best and n == 0 else ''}>"
        f"{line(row, 'td')}</tr>"
        for n, row in enumerate(rows)
    ]
    top = f"<thead><tr>{line(head, 'th')}</tr></thead>" if head else ""
    return f"<table>{top}<tbody>{''.join(body)}</tbody></table>"


def _is_word(value):
    return isinstance(value, str) and " " in value


def _trials(results, records):
    names = [axis.name for axis in results.axes]
    head = ["trial", results.objective, *names, "best epoch", "seconds"]
    rows = [
        [record.trial, format_score(record.score)]
        + [record.hyperparameters.get(name) for name in names]
        + [
            record.best_epoch,
            record.seconds and f"{record.seconds:.2f}",
        ]
        for record in records
    ]
    return table(head, rows, first_is_best=True)


def _at_an_edge(results):
    """Returns the names of settings of the best that end their scale."""
    best = results.best[0].hyperparameters
    return [
        axis.name
        for axis in results.axes
        if axis.kind != "category"
        and axis.name in best
        # There is nothing between few integers and beyond a share of 1.
        and not (axis.integer and axis.high - axis.low < 10)
        and not 0.02 <= position(axis, best[axis.name]) <= 0.98
    ]


def _count(number, what):
    return f"{number:,} {what}{'' if number == 1 else 's'}"
