"""Who came of whom, and with which hyperparameters."""

import dataclasses
import pathlib
from typing import Any

from tfcourse.tuning.evolution.schedule import HyperparameterSchedule
from tfcourse.utils.atomic_files import read_json, write_json
from tfcourse.utils.shapes import ANY, check_shape

FILE = "evolution.json"
_SHAPE = {
    "trials": [str],
    "generations": [
        {"epoch": int, "sources": [int], "values": [{str: ANY}]},
    ],
    # Those of older versions have none.
    "rules?": {str: float},
}


@dataclasses.dataclass(frozen=True)
class Generation:
    """What members went on with after an epoch.

    Attributes:
        epoch: How many epochs they had been trained.
        sources: For each member whose weights it went on with.
        values: For each member a dict from hyperparameter to value.
    """

    epoch: int
    sources: list[int]
    values: list[dict[str, Any]]


class Ancestry:
    """The generations of a population, the first with what it began with.

    Args:
        trials: The ids of the members' trials.
        generations: Those that there have been.
        rules: How they came about, as `Rules` has it, by name.
    """

    def __init__(
        self,
        trials: list[str],
        generations: list[Generation],
        rules: dict[str, float] | None = None,
    ) -> None:
        self.trials = trials
        self.generations = generations
        self.rules = rules or {}

    @property
    def values(self) -> list[dict[str, Any]]:
        """The present hyperparameters of each member."""
        return self.generations[-1].values

    def add(self, generation: Generation) -> None:
        """Adds the next generation."""
        self.generations.append(generation)

    def schedule(self, trial_id: str, epochs: int) -> HyperparameterSchedule:
        """Returns what the weights of a member were trained with.

        Args:
            trial_id: The member's trial.
            epochs: How many epochs it had been trained then.
        """
        member = self.trials.index(trial_id)
        parts: list[tuple[int, dict[str, Any]]] = []
        for generation in reversed(self.generations):
            if generation.epoch < epochs:
                parts.insert(0, (generation.epoch, generation.values[member]))
                member = generation.sources[member]
        kept = [
            part
            for i, part in enumerate(parts)
            if not i or part[1] != parts[i - 1][1]
        ]
        return HyperparameterSchedule(
            self.trials[member],
            tuple(start for start, _ in kept),
            tuple(values for _, values in kept),
            epochs,
        )

    def state(self) -> dict[str, Any]:
        """Returns it as JSON has it."""
        return {
            "trials": self.trials,
            "generations": [dataclasses.asdict(g) for g in self.generations],
            "rules": self.rules,
        }

    @classmethod
    def from_state(cls, state: Any) -> "Ancestry":
        """Returns what `state` was made of.

        Raises:
            ValueError: If it is damaged.
        """
        found = check_shape(state, _SHAPE)
        trials = found["trials"]
        generations = [Generation(**g) for g in found["generations"]]
        _check_whole(trials, generations)
        return cls(trials, generations, found.get("rules"))

    def write(self, project: str) -> None:
        """Writes it into the folder of a search."""
        write_json(pathlib.Path(project, FILE), self.state())

    @classmethod
    def read(cls, project: str) -> "Ancestry":
        """Returns what was written.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it is damaged.
        """
        return cls.from_state(read_json(pathlib.Path(project, FILE)))


def _check_whole(trials: list[str], generations: list[Generation]) -> None:
    """Raises a `ValueError` unless each generation comes of the one before."""
    if not trials or not generations or not generations[0].values:
        raise ValueError("there must be members and a first generation")
    size, names = len(trials), set(generations[0].values[0])
    epochs = [generation.epoch for generation in generations]
    if epochs[:1] != [0] or epochs != sorted(set(epochs)):
        raise ValueError(f"epochs of generations must ascend from 0: {epochs}")
    for generation in generations:
        sources, values = generation.sources, generation.values
        if len(sources) != size or not set(sources) <= set(range(size)):
            raise ValueError(f"sources must be among {size} members: {sources}")
        if len(values) != size or any(set(one) != names for one in values):
            raise ValueError(f"each of {size} members must have {names}")
