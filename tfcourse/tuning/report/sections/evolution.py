"""How a population evolved, in words and numbers, as HTML."""

import html

from tfcourse.tuning.report.evolution.figures import ancestry_of, evolving
from tfcourse.tuning.report.sections.html_table import count, table
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.tuning.search_space.scales import to_display


def evolution(results: SearchResults, tree: str, schedules: str) -> str:
    """Returns the section; nothing if the search was not of a population.

    Args:
        results: The `SearchResults`.
        tree: The place of the family tree.
        schedules: The places of the winner's hyperparameters.
    """
    ancestry = ancestry_of(results)
    if ancestry is None:
        return ""
    best = results.winner
    schedule = ancestry.schedule(best.trial, best.best_epoch or 1)
    copies = sum(
        source != k
        for generation in ancestry.generations
        for k, source in enumerate(generation.sources)
    )
    rows = [
        [
            str(start + 1),
            *(
                to_display(a.registered, values[a.registered])[1]
                for a in evolving(results, ancestry)
            ),
        ]
        for start, values in zip(schedule.starts, schedule.values, strict=True)
    ]
    head = ["from epoch", *(a.name for a in evolving(results, ancestry))]
    return (
        '<h2 id="evolution">How the population evolved</h2>'
        f'<p class="soft">{count(len(ancestry.trials), "member")} trained side '
        f"by side. {count(len(ancestry.generations) - 1, 'time')} the worst of "
        f"them went on as copies of the best, {copies:,} in all, with other "
        "hyperparameters. Each line is a member; it forks where others go on "
        f"as its copies. The winner began as trial "
        f"{html.escape(schedule.trial_id)}.</p>{tree}"
        '<h3>The winner\'s schedule</h3><p class="soft">The line is what the '
        "winner's weights were trained with, each dot the value of a member "
        f'after an interval.</p><div class="plots">{schedules}</div>'
        "<details><summary>The schedule in numbers</summary>"
        f"{table(head, rows)}</details>"
    )
