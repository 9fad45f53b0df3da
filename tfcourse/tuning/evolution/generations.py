"""What happens to a population between two intervals."""

from typing import Any

import numpy as np

from tfcourse.errors import InputError
from tfcourse.tuning.evolution.ancestry import Ancestry, Generation
from tfcourse.tuning.evolution.arguments import Rules
from tfcourse.tuning.evolution.checkpoint import Checkpoint
from tfcourse.tuning.evolution.exploration import explored
from tfcourse.tuning.evolution.members import Members
from tfcourse.tuning.evolution.selection import truncated
from tfcourse.tuning.population.trainer import PopulationTrainer


class Generations:
    """Lets the worst members go on as the best, after each interval.

    To be given to a `GroupProgram` as `on_epoch_end`.

    Args:
        members: The members.
        ancestry: What they have come of so far, to which is added.
        rules: How often, how many, how far.
        objective: Name of the metric, and `"min"` or `"max"`.
        seed: An integer.
        epochs: The epoch at which training ends.
        checkpoint: What each generation is written to.
    """

    def __init__(
        self,
        members: Members,
        ancestry: Ancestry,
        rules: Rules,
        objective: tuple[str, str],
        seed: int,
        epochs: int,
        checkpoint: Checkpoint,
    ) -> None:
        self._members = members
        self._ancestry = ancestry
        self._rules = rules
        self._name, direction = objective
        self._sign = 1 if direction == "max" else -1
        self._seed = seed
        self._epochs = epochs
        self._checkpoint = checkpoint

    def __call__(
        self,
        trainer: PopulationTrainer,
        epoch: int,
        logs: dict[str, np.ndarray],
    ) -> None:
        trained = epoch + 1
        if trained % self._rules.interval or trained == self._epochs:
            return
        # The same numbers whether or not training was broken off before.
        rng = np.random.default_rng([self._seed, trained])
        scores = self._scores(trainer, trained, logs)
        sources = truncated(scores, self._rules.quantile, rng)
        values = [
            dict(self._ancestry.values[source])
            if source == k
            else self._explored(self._ancestry.values[source], rng)
            for k, source in enumerate(sources.tolist())
        ]
        copies = np.flatnonzero(sources != np.arange(len(sources))).tolist()
        trainer.inherit(
            sources, self._members.variables({k: values[k] for k in copies})
        )
        self._ancestry.add(Generation(trained, sources.tolist(), values))
        self._checkpoint.write(trainer, epoch, self._ancestry)

    def _scores(
        self,
        trainer: PopulationTrainer,
        trained: int,
        logs: dict[str, np.ndarray],
    ) -> np.ndarray:
        """Returns how good the members are, the higher the better."""
        if self._name not in logs:
            raise InputError(
                f"Evolution compares members by {self._name!r} after epoch "
                f"{trained}, which is not known then: training reports "
                f"{', '.join(sorted(logs))}. Give validation data, and "
                "an `interval` after which they are evaluated."
            )
        scores = self._sign * np.asarray(logs[self._name], float)
        sound = np.isfinite(scores) & ~trainer.diverged
        return np.where(sound, scores, -np.inf)

    def _explored(
        self, parent: dict[str, Any], rng: np.random.Generator
    ) -> dict[str, Any]:
        """Returns the hyperparameters of a copy."""
        values = dict(parent)
        for parameter in self._members.parameters:
            values[parameter.name] = explored(
                parameter,
                parent[parameter.name],
                self._rules.perturb,
                self._rules.resample,
                rng,
            )
        return values
