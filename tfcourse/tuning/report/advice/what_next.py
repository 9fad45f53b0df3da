"""All that a search advises, the most urgent first."""

import dataclasses

from tfcourse.tuning.report.advice.advice import Advice
from tfcourse.tuning.report.advice.chance import selection_advice, ties_advice
from tfcourse.tuning.report.advice.gaps import (
    baseline_advice,
    gaps_advice,
    majority_advice,
)
from tfcourse.tuning.report.advice.ranges import (
    alone_advice,
    edge_advice,
    epochs_advice,
    failures_advice,
    train_advice,
    trials_advice,
)
from tfcourse.tuning.results.importance import Importances
from tfcourse.tuning.results.search_results import SearchResults


def what_next(results: SearchResults, found: Importances) -> list[Advice]:
    """Returns what to do after a search.

    Args:
        results: The `SearchResults`, of a trial at least that completed.
        found: The `Importances`.
    """
    every = [
        *majority_advice(results),
        *failures_advice(results),
        *epochs_advice(results),
        *gaps_advice(results),
        *edge_advice(results),
        *trials_advice(results),
        *baseline_advice(results),
        *selection_advice(results),
        *ties_advice(results),
        *alone_advice(results, found),
        *train_advice(results),
    ]
    return _each_command_once(every)


def _each_command_once(advice: list[Advice]) -> list[Advice]:
    """Leaves a command out where it was given before."""
    known: set[tuple[str, ...]] = set()
    kept = []
    for one in advice:
        if one.command in known:
            one = dataclasses.replace(one, command=())
        known.add(one.command)
        kept.append(one)
    return kept
