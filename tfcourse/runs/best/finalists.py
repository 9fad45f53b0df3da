"""The best few trials of a search, trained with several seeds each."""

import contextlib
import dataclasses
import io
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import keras_tuner

from tfcourse.runs.settings import Settings
from tfcourse.tuning.replication.tuner import Replication
from tfcourse.tuning.results.replication.replicates import Replicates
from tfcourse.tuning.results.trials import DEV_LOSSES, TrialRecord
from tfcourse.utils.atomic_files import read_json, write_json

# Of how many trials the best is likely to be the best of all.
MOST = 5
_FOLDER = "seeds"
_PROJECT = "search"
# Whose project it is.
_FILE = "finalists.json"
_SHAPE = {"seeds": int, "trials": [str]}


class Finalists:
    """The best few trials of a search, and what they reach with other seeds.

    They are in a project of their own in the folder of the run, which begins
    anew once others are the best.

    Args:
        folder: The folder of the run.
        space: The search space.
        objective: What the search went by.
        settings: Those of the run; `seeds` says with how many each is trained.
        best: The trials of the search, the best first.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        space: keras_tuner.HyperModel,
        objective: keras_tuner.Objective,
        settings: Settings,
        best: Sequence[TrialRecord],
    ) -> None:
        self._folder = folder / _FOLDER
        self._seeds = settings.seeds or 2
        self._best = {record.trial: record for record in best[:MOST]}
        self._tuner = self._made(space, objective, settings)

    def train(self, search: Callable[..., Any]) -> None:
        """Trains those that have not been trained.

        Args:
            search: A function that calls `search` of the tuner it is given.
        """
        write_json(self._folder / _FILE, self._identity)
        search(self._tuner)

    def replicates(self) -> list[Replicates]:
        """Returns their scores, the best mean first, by the search's trials.

        Those that failed are left out.
        """
        names = list(self._best)
        return [
            dataclasses.replace(one, trial=names[int(one.trial)])
            for one in self._tuner.replicates()
        ]

    def record_of(self, trial: str) -> TrialRecord:
        """Returns what the search says of a trial."""
        return self._best[trial]

    def model_of(self, trial: str) -> Any:
        """Returns the model of its best seed."""
        number = list(self._best).index(trial)
        oracle = self._tuner.oracle
        own = next(t for t in oracle.trials if int(t) == number)
        return self._tuner.load_model(oracle.get_trial(own))

    def _made(
        self,
        space: keras_tuner.HyperModel,
        objective: keras_tuner.Objective,
        settings: Settings,
    ) -> Replication:
        # keras-tuner prints that it reloads.
        with contextlib.redirect_stdout(io.StringIO()):
            return Replication(
                space,
                [record.hyperparameters for record in self._best.values()],
                objective,
                self._seeds,
                seed=settings.seed,
                folds=settings.folds,
                break_ties_by=DEV_LOSSES,
                directory=self._folder,
                project_name=_PROJECT,
                overwrite=not self._are_known(),
            )

    @property
    def _identity(self) -> dict[str, Any]:
        return {"seeds": self._seeds, "trials": list(self._best)}

    def _are_known(self) -> bool:
        """Whether the project that is there is one of these trials."""
        try:
            return read_json(self._folder / _FILE, _SHAPE) == self._identity
        except (OSError, ValueError):
            return False
