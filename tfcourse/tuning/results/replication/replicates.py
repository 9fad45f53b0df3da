"""The scores of a trial that was trained several times."""

import dataclasses
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.stats

from tfcourse.tuning.results.trials import TrialRecord, ranked, read_records


@dataclasses.dataclass(frozen=True)
class Replicates:
    """One point of a search space, trained several times.

    Attributes:
        trial: The id of its trial.
        hyperparameters: Name to value.
        scores: Of each time, the objective in the best epoch.
        direction: `"max"` or `"min"`, of the objective.
    """

    trial: str
    hyperparameters: dict[str, Any]
    scores: tuple[float, ...]
    direction: str

    @property
    def mean(self) -> float:
        """The mean of the scores."""
        return float(np.mean(self.scores))

    @property
    def deviation(self) -> float:
        """Their standard deviation, as of a sample."""
        return float(np.std(self.scores, ddof=1))

    @property
    def interval(self) -> tuple[float, float]:
        r"""The 95 % interval of the mean, by Student's t.

        $\bar s \pm t_{0.975,\, n - 1} \, \hat\sigma / \sqrt n$. Of seeds: it
        says nothing of other examples.
        """
        n = len(self.scores)
        t = scipy.stats.t.ppf(0.975, n - 1)
        half = float(t * self.deviation / np.sqrt(n))
        return self.mean - half, self.mean + half

    def to_json(self) -> dict[str, Any]:
        """Returns it as a dict that JSON can keep."""
        return {
            "trial": self.trial,
            "hyperparameters": self.hyperparameters,
            "scores": list(self.scores),
            "mean": self.mean,
            "deviation": self.deviation,
            "interval": list(self.interval),
        }


def read_replicates(
    project: str | pathlib.Path, direction: str, folds: int = 1
) -> list[Replicates]:
    """Returns what a `Replication` found, the best mean first.

    Args:
        project: The folder of its project.
        direction: `"max"` or `"min"`, of the objective.
        folds: How many models an execution had, one for each fold.
    """
    return replicates_of(read_records(project), direction, folds)


def replicates_of(
    records: Iterable[TrialRecord], direction: str, folds: int = 1
) -> list[Replicates]:
    """Returns the same of records; those that did not complete are left out.

    With more than one execution there is a score of each: the best of its
    curve, the mean over its folds. With one there is a score of each fold: in
    the epoch in which their mean is best.
    """
    return [
        Replicates(
            record.trial,
            record.hyperparameters,
            _scores(record, direction, folds),
            direction,
        )
        for record in ranked(records, direction)
        if len(record.of_models) > 1
    ]


def _scores(
    record: TrialRecord, direction: str, folds: int
) -> tuple[float, ...]:
    models = record.of_models
    if len(models) == folds:
        epoch = (record.best_epoch or 1) - 1
        return tuple(curve[epoch] for curve in models)
    best = max if direction == "max" else min
    starts = range(0, len(models), folds)
    return tuple(best(_mean(models[n : n + folds])) for n in starts)


def _mean(curves: list[list[float]]) -> list[float]:
    """Returns the mean curve, as far as all of them go."""
    return [float(np.mean(values)) for values in zip(*curves, strict=False)]
