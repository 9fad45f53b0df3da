"""The third step: which trials are trained as one program."""

import collections
import dataclasses
import itertools
from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple, Protocol

import keras

from tfcourse.tuning._keras_tuner import Trial
from tfcourse.tuning.caviar.steps.advice import advice
from tfcourse.tuning.caviar.steps.candidates import Candidate, SerialTrial
from tfcourse.tuning.caviar.steps.one_step import by, may_switch, of_one_step
from tfcourse.tuning.caviar.steps.width_classes import classes
from tfcourse.tuning.population.structure import difference_between

_NOT_SIDE_BY_SIDE = "to train them side by side would take longer"
_IN_TURN = "another trial trains something made before its build"


class Pays(Protocol):
    """What knows whether a program pays, as `Profitability` does.

    Attributes:
        steps_are_shared: As for `grouped`.
    """

    steps_are_shared: bool

    def too_few(self, parts: "Parts") -> str:
        """Returns why a group is not to be trained side by side, or `""`."""
        ...

    def share_step(self, candidates: list[Candidate]) -> bool:
        """Whether candidates are trained one after the other by one step."""
        ...


# Lists of candidates; those of a list have like arguments.
Parts = list[list[Candidate]]


class Group(NamedTuple):
    """Candidates of one structure, which one program can train.

    Attributes:
        parts: The candidates.
        why: Why they are no part of the first group, or `""`.
        advice: What would make them one, or `""`.
        by_one_step: Whether they are trained one after the other.
    """

    parts: Parts
    why: str
    advice: str = ""
    by_one_step: bool = False


@dataclasses.dataclass
class SerialGroup:
    """Trials that must be trained one by one, why, and what to do about it."""

    trials: list[Trial]
    why: str
    advice: str = ""


def make_groups(
    candidates: list[Candidate | SerialTrial],
    pays: Pays,
    executions: int = 1,
) -> list[Group | SerialGroup]:
    """Returns the groups of some candidates: those of one program first.

    Args:
        candidates: The candidates, and trials that cannot be such.
        pays: What knows whether a program pays.
        executions: How often each trial is executed.
    """
    candidates = _in_turn(candidates)
    together = grouped(
        [c for c in candidates if isinstance(c, Candidate)],
        executions,
        pays.steps_are_shared,
    )
    every = [[c for part in parts for c in part] for parts in together]
    groups: list[Group | SerialGroup] = []
    few: list[tuple[list[Candidate], str, str]] = []
    for parts, some in zip(together, every, strict=True):
        why, what = _why_apart(some, every)
        short = pays.too_few(parts)
        if short:
            whys = "; ".join(filter(None, [short, why]))
            few.append((some, whys, what))
        else:
            groups.append(Group(parts, why, what))
    by_one_step = [
        some
        for some in of_one_step(c for some, _, _ in few for c in some)
        if pays.share_step(some)
    ]
    groups += [
        Group(_parts(some), _NOT_SIDE_BY_SIDE, by_one_step=True)
        for some in by_one_step
    ]
    shared = {id(c) for some in by_one_step for c in some}
    for some, whys, what in few:
        alone = [c.trial for c in some if id(c) not in shared]
        if alone:
            groups.append(SerialGroup(alone, whys, what))
    return [*groups, *_serial_groups(candidates)]


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
        else by(alone, _why).items()
    )
    return [SerialGroup([c.trial for c in some], why) for why, some in runs]


def _changes_shared(candidates: Iterable[Candidate | SerialTrial]) -> bool:
    return any(getattr(c, "changes_shared", False) for c in candidates)


def _why(alone: SerialTrial) -> str:
    return alone.why


def grouped(
    candidates: list[Candidate],
    executions: int = 1,
    steps_are_shared: bool = False,
) -> list[Parts]:
    """Returns the candidates by structure, and there by arguments of `fit`.

    Args:
        candidates: The candidates.
        executions: How often each trial is executed.
        steps_are_shared: Whether those that are in no program may be trained
            one after the other by one step.

    Returns:
        A list of lists of lists of `Candidate`s, the largest first. In the
        innermost, shallow networks come before deep ones: a block that no
        neighbour has costs nothing.
    """
    groups = []
    for some in _by_structure(candidates, executions, steps_are_shared):
        some = sorted(some, key=lambda c: len(c.model.layers))
        groups.append(_parts(some))
    return groups


def _parts(candidates: list[Candidate]) -> Parts:
    """Returns candidates by their arguments of `fit`, the most first."""
    parts = by(candidates, lambda c: _key(_of_all(c.arguments)))
    return sorted(parts.values(), key=len, reverse=True)


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
    candidates: list[Candidate], executions: int, steps_are_shared: bool
) -> Iterator[list[Candidate]]:
    """Yields lists of the candidates that one program can train."""
    # Of what cannot be embedded, only the same goes together.
    families = by(
        candidates,
        lambda c: c.family or (c.shared_structure, c.optimizer),
    )
    alike = collections.defaultdict(list)
    for (shared, _), some in families.items():
        alike[shared].append(some)
    for kinds in alike.values():
        together = [candidate for some in kinds for candidate in some]
        if len(kinds) > 1 and may_switch(kinds):
            kinds = [together]
        for some in kinds:
            if len({c.structure for c in some}) > 1:
                yield from classes(some, executions, steps_are_shared)
            else:
                yield some


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
