"""Networks of like size together, where padding costs more than a program.

A narrow network that is embedded in a wide one takes as long as that. Where
neither pays, networks are left to be trained one by one.
"""

import math
from collections.abc import Iterator

from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.steps.costs import Costs

# Of a smaller class the program is hardly shared.
LEAST = 4
# Classes begin and end at so many places at most.
_PLACES = 64


def classes(
    candidates: list[Candidate],
    executions: int = 1,
    steps_are_shared: bool = False,
) -> list[list[Candidate]]:
    """Returns candidates of one family in classes, each for a program.

    Args:
        candidates: The candidates.
        executions: How often each trial is executed.
        steps_are_shared: As for `Costs`.

    Returns:
        The classes; the last one is of those that go with none, if any.
    """
    if len(candidates) < 2:
        return [candidates]
    costs = Costs(candidates, executions, steps_are_shared)
    order = costs.small_first
    found, alone = [], []
    for start, end, is_program in _cheapest(costs, order):
        members = [candidates[i] for i in sorted(order[start:end])]
        if is_program:
            found.append(members)
        else:
            alone += members
    return [*found, alone] if alone else found


def _cheapest(
    costs: Costs, order: list[int]
) -> Iterator[tuple[int, int, bool]]:
    """Yields how trials are trained, such that all take the least time.

    Args:
        costs: The `Costs` of the trials.
        order: Their indices, of small networks first.

    Yields:
        The first of a run of trials, the place after its last one, and whether
        one program trains them.
    """
    count = len(order)
    least, step = min(LEAST, count), math.ceil(count / _PLACES)
    # For the first trials: the least costs, where their last run begins, and
    # whether it is a program.
    best = [(0.0, 0, False)] + [(math.inf, 0, False)] * count
    for start in range(0, count, step):
        for end in range(start + 1, min(start + step, count) + 1):
            one_more = best[end - 1][0] + costs.apart[order[end - 1]]
            best[end] = min(best[end], (one_more, end - 1, False))
        together = (
            best[start][0] + costs.program + costs.together(order[start:])
        )
        for end in [*range(start + step, count, step), count]:
            if end - start >= least:
                found = together[end - start - 1], start, True
                best[end] = min(best[end], found)
    runs = []
    end = count
    while end:
        _, start, is_program = best[end]
        runs.insert(0, (start, end, is_program))
        end = start
    yield from runs
