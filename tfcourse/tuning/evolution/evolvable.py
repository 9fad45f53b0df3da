"""Which hyperparameters may change while members train, and which not."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from tfcourse.errors import InputError
from tfcourse.tuning.caviar.programs import GroupProgram
from tfcourse.tuning.caviar.steps.candidates import Candidate, SerialTrial
from tfcourse.tuning.caviar.steps.grouping import grouped
from tfcourse.tuning.population.structure import (
    StructureReader,
    difference_between,
)
from tfcourse.tuning.search_space import regions
from tfcourse.tuning.search_space.regions import Parameter
from tfcourse.tuning.search_space.scales import to_display

# Makes a candidate like the first member, with these hyperparameters.
Make = Callable[[dict[str, Any]], Candidate | SerialTrial]


@dataclasses.dataclass(frozen=True)
class Probe:
    """A hyperparameter, and candidates that differ in nothing else.

    Attributes:
        parameter: The keras-tuner hyperparameter.
        candidates: One with each of a few values.
    """

    parameter: Parameter
    candidates: list[Candidate]


def probes(first: Candidate, make: Make) -> list[Probe]:
    """Returns a probe of each hyperparameter that has more than one value.

    Args:
        first: The first member.
        make: A function that makes candidates like it.

    Raises:
        InputError: If one of them makes other models, or depends on another.
    """
    hp = first.trial.hyperparameters
    values = dict(hp.values)
    found = []
    for parameter in hp.space:
        some = _values(parameter)
        if len(some) < 2 or not regions.is_active(parameter, values):
            continue
        parents = ", ".join(_open_parents(parameter, hp.space))
        if parents:
            _refuse(parameter, f"it is there only for some values of {parents}")
        candidates = [
            _alike(parameter, first, make(values | {parameter.name: value}))
            for value in some
        ]
        found.append(Probe(parameter, candidates))
    return found


def places(program: GroupProgram, some: Sequence[Probe]) -> list[int]:
    """Returns which of a program's variables hold what is probed, by number.

    Args:
        program: A program for the candidates of the probes, too.
        some: The probes.

    Raises:
        InputError: If a hyperparameter is in none.
    """
    found: set[int] = set()
    # Those come out otherwise where a layer leaves them another seed.
    weights = len(program.template.trainable_variables)
    for probe in some:
        columns = program.initial_values(probe.candidates)
        differ = [
            i
            for i, column in enumerate(columns)
            if i >= weights and is_setting(column)
        ]
        if not differ:
            _refuse(probe.parameter, "no variable of the model depends on it")
        found.update(differ)
    return sorted(found)


def is_setting(column: np.ndarray) -> bool:
    """Whether models that differ in hyperparameters begin with other values.

    Whole numbers are states of generators of random numbers, and go on.
    """
    return column.dtype.kind not in "iu" and bool(np.any(column != column[:1]))


def _open_parents(
    parameter: Parameter, space: Sequence[Parameter]
) -> list[str]:
    """Returns of what a hyperparameter depends that may change itself."""
    several = {p.name for p in space if len(_values(p)) > 1}
    return [name for name in regions.conditions(parameter) if name in several]


def _values(parameter: Parameter) -> Sequence[Any]:
    """Returns a few values of a hyperparameter, or all of a choice."""
    every = regions.categories(parameter)
    if every is not None:
        return every
    return list(
        dict.fromkeys(regions.value_at(parameter, p) for p in (0.0, 0.5, 1.0))
    )


def _alike(
    parameter: Parameter, first: Candidate, other: Candidate | SerialTrial
) -> Candidate:
    """Returns the other candidate if it can train with the first."""
    if isinstance(other, SerialTrial):
        _refuse(parameter, other.why)
    difference = difference_between(first.structure, other.structure)
    if difference:
        _refuse(parameter, f"other values make other models: {difference}")
    if _initializers(first) != _initializers(other):
        _refuse(parameter, "initial weights are drawn otherwise for others")
    if len(grouped([first, other])[0]) > 1:
        _refuse(parameter, "models are fitted with other arguments for others")
    return other


def _initializers(candidate: Candidate) -> list[Any]:
    """Returns what initial weights are drawn from, but for the seeds.

    A layer that draws nothing, as its rate is zero, leaves others its seed.
    """
    return [
        (
            type(initializer),
            StructureReader().read(
                {n: v for n, v in vars(initializer).items() if "seed" not in n}
            ),
        )
        for initializer, _ in candidate.initializers
    ]


def _refuse(parameter: Parameter, why: str) -> NoReturn:
    name, default = to_display(parameter.name, parameter.default)
    raise InputError(
        f"Evolution cannot change {name!r} while its members train: {why}. "
        f"Give it one value, such as {name} = {default!r} in `build` (or --fix "
        f"{name}={default} in `tfcourse tune`), or search for it with Caviar."
    )
