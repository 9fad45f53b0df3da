"""What came of a trial that was trained together with others."""

import dataclasses
import math
from typing import Any

import keras
import keras_tuner

from tfcourse.tuning._keras_tuner import (
    Trial,
    build_config_path,
    checkpoint_path,
)
from tfcourse.tuning.caviar.programs import GroupProgram
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.population import MemberHistory
from tfcourse.tuning.population.trainer import PopulationTrainer
from tfcourse.tuning.tuners.best_epoch import best_execution
from tfcourse.tuning.tuners.cross_validation import mean_over_folds
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils.atomic_files import AtomicBatch


@dataclasses.dataclass
class Outcome:
    """What came of a trial.

    Attributes:
        runs: Its `Candidate`s, one for each fold of each execution.
        histories: The `MemberHistory` of each.
        population: The `PopulationTrainer` of the members.
        first: The number there of the first of them.
        program: The `GroupProgram` that trained it.
        dropped: After how many epochs halving dropped the trial, or None.
        seconds: How long it took.
    """

    runs: list[Candidate]
    histories: list[MemberHistory]
    population: PopulationTrainer
    first: int
    program: GroupProgram
    dropped: int | None
    seconds: float = 0.0

    @property
    def trial(self) -> Trial:
        return self.runs[0].trial

    def write(self, files: AtomicBatch, tuner: SerialTuner) -> None:
        """Writes the curve of the best of the trial's executions, and the
        weights of the best epoch of all its models.
        """
        curves = [history.history for history in self._means()]
        of_models = [history.history for history in self.histories]
        record = tuner.history_of(self.seconds, curves, of_models)
        n = best_execution(
            of_models,
            tuner.oracle.objective,
            tuner.break_ties_by,
        )
        history = self.histories[n]
        if self.dropped:
            record["dropped_after_epochs"] = self.dropped
        trial_id = self.trial.trial_id
        if history.best_epoch is not None:
            self.program.checkpoints.write(
                files.beside(checkpoint_path(tuner, trial_id)),
                self.runs[n].model,
                self.population.values(self.first + n, best=True),
                self.runs[n].constants,
            )
            files.write_json(
                build_config_path(tuner, trial_id),
                _of_any_batch(self.program.template.get_build_config()),
            )
        files.write_json(tuner.history_file_of(self.trial), record)

    def results(self, trial: Trial) -> list[keras.callbacks.History]:
        """Returns what `run_trial` does, or raises what it would.

        Args:
            trial: The trial, to whose message it is added if it was dropped.

        Raises:
            FailedTrialError: If one of its models diverged.
        """
        for history in self.histories:
            _refuse_divergence(history)
        if self.dropped:
            of = self.runs[0].arguments["epochs"]
            trial.message = f"dropped after epoch {self.dropped} of {of}"
        return self._means()

    def _means(self) -> list[keras.callbacks.History]:
        """Returns the history of each execution."""
        folds = self.runs[0].folds
        return [
            mean_over_folds(self.histories[first : first + folds])
            for first in range(0, len(self.histories), folds)
        ]


def _refuse_divergence(history: MemberHistory) -> None:
    epoch = history.diverged_epoch
    if epoch is None:
        return
    name = "loss"
    if math.isfinite(history.history["loss"][-1]):
        name = "val_loss"
    raise keras_tuner.errors.FailedTrialError(
        f"diverged: the {name} was {history.diverged_value} in epoch "
        f"{epoch + 1}"
    )


def _of_any_batch(config: Any) -> Any:
    """Returns a build config without the number of examples in a batch."""
    if isinstance(config, dict):
        return {name: _of_any_batch(value) for name, value in config.items()}
    if isinstance(config, (list, tuple)) and config:
        if all(size is None or isinstance(size, int) for size in config):
            return [None, *config[1:]]
        return [_of_any_batch(value) for value in config]
    return config
