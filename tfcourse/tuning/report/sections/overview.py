"""What the page says first, and its sentences."""

import html

from tfcourse.tuning.report.sections.html_table import count
from tfcourse.tuning.results.importance import Importances
from tfcourse.tuning.results.scores import headline
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import duration, format_score, format_value


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
    manifest = results.manifest
    if manifest and not manifest.get("result"):
        wanted = manifest["settings"].get("trials", 0)
        text += (
            f" The search is not finished: {len(results.best)} of "
            f"{count(wanted, 'trial')} have completed."
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
        trained = f" of up to {count(manifest['settings']['epochs'], 'epoch')}"
    goal = "highest" if results.direction == "max" else "lowest"
    return (
        f"{count(len(results.records), 'trial')}{trained} searched "
        f"{count(len(results.searched_axes), 'hyperparameter')}{where} for the "
        f"{goal} {html.escape(results.objective)}."
    )


def _reached(results):
    """Returns what the best trial reached, without a full stop."""
    best = results.winner
    text = (
        f"The best, trial {html.escape(best.trial)}, reached "
        f"<b>{format_score(best.score)}</b>"
    )
    for one in results.replicates[:1]:
        text += (
            f", and <b>{format_score(round(one.mean, 4))}</b> on average with "
            f"{len(one.scores)} seeds"
        )
    result = results.manifest.get("result")
    if not result:
        return text
    name, score = headline(result["test"])
    reached = (
        f"gets <b>{score:.1%}</b> right"
        if name == "accuracy"
        else f"reaches an {html.escape(name)} of <b>{format_score(score)}</b>"
    )
    return (
        f"{text}; on the {results.manifest['data']['test']:,} examples of the "
        f"test set, which played no part in the choice, its model {reached}"
    )


def settings(results: SearchResults) -> str:
    """Returns the best trial's hyperparameters as labels."""
    return "".join(
        f'<span class="chip">{html.escape(name)} '
        f"<b>{html.escape(format_value(value))}</b></span>"
        for name, value in results.winner.hyperparameters.items()
    )


def facts(results: SearchResults) -> str:
    """Returns the numbers that a reader looks for first."""
    result = results.manifest.get("result") or {}
    times = [r.seconds for r in results.records if r.seconds is not None]
    failed = len(results.of_status("failed"))
    values = {
        f"best {results.objective}": format_score(results.winner.score),
    }
    if result:
        values |= _test_facts(result)
    values["trials" + (f", {failed} of them failed" if failed else "")] = str(
        len(results.records)
    )
    if times:
        mean = sum(times) / len(times)
        values["training time per trial"] = f"{mean:.2g} s"
        values["total training time"] = duration(sum(times))
    return "".join(
        f'<div class="fact"><b>{html.escape(value)}</b>'
        f"<span>{html.escape(what)}</span></div>"
        for what, value in values.items()
    )


def _test_facts(result):
    """Returns the score on the test set, and those of no search."""
    name, score = headline(result["test"])

    def shown(value):
        return (
            f"{value:.1%}"
            if name == "accuracy"
            else format_score(round(value, 4))
        )

    bounds = next(
        iter(result.get("intervals", {}).get("test", {}).values()), None
    )
    between = f", {shown(bounds[0])} to {shown(bounds[1])}" if bounds else ""
    facts = {f"{name} on the test set{between}": shown(score)}
    for other, reached in result.get("baselines", {}).items():
        what = f"test {name} of the {other}"
        facts[what] = shown(headline(reached["test"])[1])
    return facts
