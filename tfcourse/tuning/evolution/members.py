"""The members of a population, and the variables that hold what evolves."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from tfcourse.errors import InputError
from tfcourse.tuning.caviar.programs import GroupProgram
from tfcourse.tuning.caviar.steps.candidates import Candidate, SerialTrial
from tfcourse.tuning.evolution.evolvable import places, probes
from tfcourse.tuning.population.structure import difference_between
from tfcourse.tuning.search_space.regions import Parameter

Values = dict[str, Any]


class Remake(Protocol):
    """What makes a member anew with other hyperparameters."""

    def __call__(
        self, candidate: Candidate, values: Values
    ) -> Candidate | SerialTrial:
        """Returns a candidate of the same trial with these values."""
        ...


class Members:
    """Candidates that one program trains, whatever becomes of them.

    Args:
        candidates: Those that begin.
        remake: What makes one anew.
        program_of: A function that makes the program for some candidates.

    Attributes:
        candidates: As given.
        parameters: The keras-tuner hyperparameters that evolve.
        program: The `GroupProgram`.

    Raises:
        InputError: If one of the hyperparameters cannot evolve.
    """

    def __init__(
        self,
        candidates: list[Candidate],
        remake: Remake,
        program_of: Callable[[list[Candidate]], GroupProgram],
    ) -> None:
        self.candidates = candidates
        self._remake = remake
        some = probes(candidates[0], lambda v: remake(candidates[0], v))
        if not some:
            raise InputError(
                "Evolution needs a hyperparameter with more than one value, "
                "such as the learning rate. The search space has none."
            )
        _check_alike(candidates)
        self.parameters: list[Parameter] = [p.parameter for p in some]
        self.program = program_of(
            [*candidates, *(c for p in some for c in p.candidates)]
        )
        self._places = places(self.program, some)

    def variables(
        self, values: dict[int, Values]
    ) -> dict[int, dict[int, np.ndarray]]:
        """Returns the variables that hold hyperparameters, by their number.

        Args:
            values: The hyperparameters of members, by the number of each.

        Returns:
            A dict for each of these members.

        Raises:
            InputError: If a model with some of the values is another one.
        """
        found = {k: self._remade(own) for k, own in values.items()}
        # Together, as the program is looked at once.
        if not self.program.accepts(list(found.values())):
            for k, candidate in found.items():
                if not self.program.accepts([candidate]):
                    raise _another_model(values[k])
        return {
            k: self.program.values_at(candidate, self._places)
            for k, candidate in found.items()
        }

    def _remade(self, values: Values) -> Candidate:
        # Always of the first member, as another seed would make TensorFlow
        # compile anew what trains.
        made = self._remake(self.candidates[0], values)
        if isinstance(made, SerialTrial):
            raise _another_model(values)
        return made


def _another_model(values: Values) -> InputError:
    listed = ", ".join(f"{name}={value!r}" for name, value in values.items())
    return InputError(
        f"Evolution cannot change hyperparameters to {listed}: `build` makes "
        "another model of them. Leave values out of the search space that do."
    )


def _check_alike(candidates: list[Candidate]) -> None:
    """Raises unless `build` makes the same model again and again."""
    first = candidates[0]
    for other in candidates[1:]:
        difference = difference_between(first.structure, other.structure)
        if difference:
            one, two = first.trial.trial_id, other.trial.trial_id
            raise InputError(
                "Evolution trains models of one structure, but those of "
                f"trials {one} and {two} differ: {difference}. Give what they "
                "differ in one value in `build`, or search with Caviar."
            )
