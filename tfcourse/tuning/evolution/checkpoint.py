"""What a search that was killed goes on from: its last generation."""

import dataclasses
import logging
import pathlib

from tfcourse.data.adapters import are_arrays
from tfcourse.errors import InputError
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.evolution.ancestry import Ancestry
from tfcourse.tuning.evolution.arguments import Rules
from tfcourse.tuning.population.data.snapshot import Snapshot
from tfcourse.tuning.population.trainer import PopulationTrainer

_log = logging.getLogger(__name__)
_FILE = "population.npz"


class Checkpoint:
    """The file that a population is written to after each interval.

    It is there for arrays: a dataset cannot be gone on with in the middle.

    Args:
        project: The folder of the search.
        candidates: The members.
        rules: How they evolve.
    """

    def __init__(
        self, project: str, candidates: list[Candidate], rules: Rules
    ) -> None:
        self._path = pathlib.Path(project, _FILE)
        self._trials = [c.trial.trial_id for c in candidates]
        self._rules = rules
        self._is_possible = are_arrays(candidates[0].arguments["x"])

    def write(
        self, trainer: PopulationTrainer, epoch: int, ancestry: Ancestry
    ) -> None:
        """Writes what there is after an epoch, whole or not at all."""
        if self._is_possible:
            extra = {
                "rules": dataclasses.asdict(self._rules),
                "ancestry": ancestry.state(),
            }
            trainer.snapshot(epoch, extra).write(self._path)

    def read(self) -> tuple[Snapshot, Ancestry] | None:
        """Returns what to go on from, or None if there is nothing.

        Raises:
            InputError: If the search was begun with other arguments.
        """
        try:
            snapshot = Snapshot.read(self._path)
            ancestry = Ancestry.from_state(snapshot.extra["ancestry"])
            begun = Rules(**snapshot.extra["rules"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError) as error:
            _log.warning("%s is left aside: %s", self._path, error)
            return None
        if begun != self._rules:
            raise InputError(
                f"The search in {self._path.parent} was begun with {begun}. "
                "Give the same, or `overwrite=True` to begin anew. Received: "
                f"{self._rules}"
            )
        if not self._is_possible or ancestry.trials != self._trials:
            return None
        return snapshot, ancestry


def remove_checkpoint(project: str) -> None:
    """Removes the file, once all has ended."""
    pathlib.Path(project, _FILE).unlink(missing_ok=True)
