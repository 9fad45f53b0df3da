"""Which trials one step can train, one after the other, each in its own size.

Traced once, it costs a trial no padding, and no compilation of its own.
"""

import collections
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import TypeVar

from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.supernet import can_merge
from tfcourse.tuning.supernet.supported import is_supported_optimizer

# Of fewer, what is saved would go into comparing.
FEWEST = 3
# Each member computes the steps of all optimizers, and takes one.
_MOST_OPTIMIZERS = 4
_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)


def of_one_step(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Yields lists of the candidates that one step can train."""
    for some in _of_one_model(list(candidates)):
        kinds = by(some, lambda c: c.optimizer).values()
        # One of them is computed for each, however large its network.
        known = all(is_supported_optimizer(c.model.optimizer) for c in some)
        may_branch = len(kinds) <= _MOST_OPTIMIZERS and known
        yield from [some] if may_branch else kinds


def _of_one_model(
    candidates: list[Candidate],
) -> Iterator[list[Candidate]]:
    """Yields lists of the candidates whose layers one model has."""
    rest = []
    for family, some in by(candidates, lambda c: c.open_family).items():
        several = len({c.shared_open_structure for c in some}) > 1
        if family and several and can_merge([c.model for c in some]):
            # Of other depths, too.
            yield some
        else:
            rest += some
    yield from by(rest, lambda c: c.shared_open_structure).values()


def may_switch(kinds: Collection[list[Candidate]]) -> bool:
    """Whether candidates of several optimizers take their pick of steps."""
    return len(kinds) <= _MOST_OPTIMIZERS and all(
        candidate.may_switch for some in kinds for candidate in some
    )


def by(candidates: Iterable[_T], key: Callable[[_T], _K]) -> dict[_K, list[_T]]:
    """Returns what is of a key, for each key in the order of the first."""
    groups = collections.defaultdict(list)
    for candidate in candidates:
        groups[key(candidate)].append(candidate)
    return groups
