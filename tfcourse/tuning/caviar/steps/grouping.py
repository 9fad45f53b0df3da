"""The third step: which trials are trained as one program."""

import collections
import dataclasses
import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import keras

from tfcourse.tuning._keras_tuner import Trial
from tfcourse.tuning.caviar.steps.advice import advice
from tfcourse.tuning.caviar.steps.candidates import Candidate, SerialTrial
from tfcourse.tuning.caviar.steps.width_classes import classes
from tfcourse.tuning.population.structure import difference_between

_IN_TURN = "another trial trains what was made before its build"
# Each member computes the steps of all optimizers, and takes one.
_MOST_OPTIMIZERS = 4
_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)


# Lists of candidates; those of a list have like arguments.
Parts = list[list[Candidate]]


class Group(NamedTuple):
    """Candidates of one structure, which one program can train.

    Attributes:
        parts: The candidates.
        why: Why they are no part of the first group, or `""`.
        advice: What would make them one, or `""`.
    """

    parts: Parts
    why: str
    advice: str = ""


@dataclasses.dataclass
class SerialGroup:
    """Trials that must be trained one by one, why, and what to do about it."""

    trials: list[Trial]
    why: str
    advice: str = ""


def make_groups(
    candidates: list[Candidate | SerialTrial],
    too_few: Callable[[Parts], str],
    executions: int = 1,
) -> list[Group | SerialGroup]:
    """Returns the groups of some candidates: those of one program first.

    Args:
        candidates: The candidates, and trials that cannot be such.
        too_few: A function that says why a group's trials are too few for a
            program, or `""`.
        executions: How often each trial is executed.
    """
    candidates = _in_turn(candidates)
    together = grouped(
        [c for c in candidates if isinstance(c, Candidate)], executions
    )
    every = [[c for part in parts for c in part] for parts in together]
    groups, few = [], []
    for parts, some in zip(together, every, strict=True):
        why, what = _why_apart(some, every)
        short = too_few(parts)
        if short:
            whys = "; ".join(filter(None, [short, why]))
            few.append(SerialGroup([c.trial for c in some], whys, what))
        else:
            groups.append(Group(parts, why, what))
    return [*groups, *few, *_serial_groups(candidates)]


def _in_turn(
    candidates: list[Candidate | SerialTrial],
) -> list[Candidate | SerialTrial]:
    """Returns the trials, those alone that others must not overtake.

    What one of them trains and others hold, each finds as the last left it.
    """
    if not _changes_shared(candidates):
        return candidates
    return [
        SerialTrial(c.trial, _IN_TURN)
        if isinstance(c, Candidate) and c.constants
        else c
        for c in candidates
    ]


def _serial_groups(
    candidates: list[Candidate | SerialTrial],
) -> list[SerialGroup]:
    alone = [c for c in candidates if isinstance(c, SerialTrial)]
    runs = (
        itertools.groupby(alone, _why)
        if _changes_shared(alone)
        else _by(alone, _why).items()
    )
    return [SerialGroup([c.trial for c in some], why) for why, some in runs]


def _changes_shared(candidates: Iterable[Candidate | SerialTrial]) -> bool:
    return any(getattr(c, "changes_shared", False) for c in candidates)


def _why(alone: SerialTrial) -> str:
    return alone.why


def grouped(candidates: list[Candidate], executions: int = 1) -> list[Parts]:
    """Returns the candidates by structure, and there by arguments of `fit`.

    Args:
        candidates: The candidates.
        executions: How often each trial is executed.

    Returns:
        A list of lists of lists of `Candidate`s, the largest first. In the
        innermost, shallow networks come before deep ones: a block that no
        neighbour has costs nothing.
    """
    groups = []
    for some in _by_structure(candidates, executions):
        some = sorted(some, key=lambda c: len(c.model.layers))
        parts = _by(some, lambda candidate: _key(_of_all(candidate.arguments)))
        groups.append(sorted(parts.values(), key=len, reverse=True))
    return groups


def _why_apart(
    some: list[Candidate], every: list[list[Candidate]]
) -> tuple[str, str]:
    """Returns why candidates are not in the first group, and what to change."""
    one, first = some[0], every[0][0]
    difference = difference_between(first.structure, one.structure)
    if not difference:
        return "", ""
    what = advice(some, every[0], every)
    if one.family is not None and one.family == first.family:
        # The rule of classes has told them apart.
        difference = "to pad networks of other widths would take longer"
        what = ""
    return f"not with trial {first.trial.trial_id}: {difference}", what


def _by_structure(
    candidates: list[Candidate], executions: int
) -> Iterator[list[Candidate]]:
    """Yields lists of the candidates that one program can train."""
    # Of what cannot be embedded, only the same goes together.
    families = _by(
        candidates,
        lambda c: c.family or (c.shared_structure, c.optimizer),
    )
    alike = collections.defaultdict(list)
    for (shared, _), some in families.items():
        alike[shared].append(some)
    for kinds in alike.values():
        together = [candidate for some in kinds for candidate in some]
        if 1 < len(kinds) <= _MOST_OPTIMIZERS and all(
            candidate.may_switch for candidate in together
        ):
            kinds = [together]
        for some in kinds:
            several = len({c.structure for c in some}) > 1
            yield from classes(some, executions) if several else [some]


def _by(
    candidates: Iterable[_T], key: Callable[[_T], _K]
) -> dict[_K, list[_T]]:
    groups = collections.defaultdict(list)
    for candidate in candidates:
        groups[key(candidate)].append(candidate)
    return groups


def _of_all(arguments: dict) -> dict:
    """Returns arguments without what each member has of its own."""
    return {n: value for n, value in arguments.items() if n != "callbacks"}


def _key(value: object) -> Hashable:
    if value is None or isinstance(value, (bool, int, float, str)):
        return type(value).__name__, value
    if isinstance(value, (list, tuple)):
        return type(value).__name__, *map(_key, value)
    if isinstance(value, keras.callbacks.Callback):
        return type(value).__name__, _key(vars(value))
    if isinstance(value, dict):
        return tuple((str(k), _key(v)) for k, v in value.items())
    return "object", id(value)
