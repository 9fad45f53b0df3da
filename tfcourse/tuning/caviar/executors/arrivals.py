"""What came back of a trial, in its folder until the oracle is told.

`arrived.json` is there from the moment in which the weights are until the
oracle knows; a search that goes on does not train the trial again.
"""

import contextlib
import dataclasses
import pathlib
from typing import Any

import keras_tuner
import numpy as np

from tfcourse.tuning._keras_tuner import Trial, TrialStatus
from tfcourse.tuning.caviar.executors.interface import (
    JobResult,
    Loss,
    TrialResult,
)
from tfcourse.utils.atomic_files import AtomicBatch, read_json
from tfcourse.utils.shapes import ANY

FILE = "arrived.json"
_SHAPE = {
    "status": str,
    "reports": [ANY],
    "message": (str, None),
    "groups": [{str: ANY}],
}


@dataclasses.dataclass
class Arrived:
    """What the oracle is to be told of a trial.

    Attributes:
        status: Its status.
        reports: The metrics that were reported, each with its step.
        message: What it failed of, or None.
        hyperparameters: Their config, if there are more of them now.
        groups: Of the first trial of a job: how all of them were trained.
    """

    status: str
    reports: list[tuple[dict[str, Any], int]]
    message: str | None = None
    hyperparameters: dict[str, Any] | None = None
    groups: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def tell(self, oracle: keras_tuner.Oracle, trial: Trial) -> None:
        """Lets a trial have what came of it."""
        # An attempt before may have reported, too.
        trial.metrics = type(trial.metrics)()
        for metrics, step in self.reports:
            oracle.update_trial(trial.trial_id, metrics, step)
        if self.hyperparameters is not None:
            trial.hyperparameters = keras_tuner.HyperParameters.from_config(
                self.hyperparameters
            )
        trial.status, trial.message = self.status, self.message


class Arrivals:
    """The arrived trials of a project.

    Args:
        project: The project folder.
    """

    def __init__(self, project: str | pathlib.Path) -> None:
        self._project = pathlib.Path(project)

    def write(
        self, result: JobResult, node: str, attempts: int
    ) -> dict[str, Arrived]:
        """Writes what came of a job, all at once.

        Args:
            result: The result.
            node: Where it was trained.
            attempts: How often it was lost before.

        Returns:
            For each trial, what is to be told.
        """
        where = {"node": node, "attempts": attempts + 1}
        groups = [group | where for group in result.groups]
        arrived = {}
        with AtomicBatch() as files:
            for trial in result.trials:
                arrived[trial.trial_id] = told = _arrived(trial, groups)
                groups = []
                folder = self._folder(trial.trial_id)
                for name, content in trial.files.items():
                    files.beside(folder / name).write_bytes(content)
                # After the weights: who finds it finds these, too.
                files.write_json(folder / FILE, dataclasses.asdict(told))
        return arrived

    def read(self, trial_id: str) -> Arrived | None:
        """Returns what came of a trial, or None if it must be trained."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            found = read_json(self._folder(trial_id) / FILE)
            return Arrived(**found)
        return None

    def forget(self, trial_id: str) -> None:
        """Removes the file of a trial: the oracle knows."""
        (self._folder(trial_id) / FILE).unlink(missing_ok=True)

    def _folder(self, trial_id: str) -> pathlib.Path:
        return self._project / f"trial_{trial_id}"


def given_up(loss: Loss, attempts: int) -> Arrived:
    """Returns what to tell of a trial that nobody could train."""
    times = "once" if attempts == 1 else f"{attempts} times"
    return Arrived(
        TrialStatus.FAILED,
        [],
        f"it was started {times} and lost each time: {loss.why}",
    )


def _arrived(trial: TrialResult, groups: list[dict[str, Any]]) -> Arrived:
    reports = [
        ({name: _plain(value) for name, value in metrics.items()}, int(step))
        for metrics, step in trial.reports
    ]
    return Arrived(
        trial.status, reports, trial.message, trial.hyperparameters, groups
    )


def _plain(value: Any) -> Any:
    """Returns a metric as JSON has it, to the last digit."""
    return np.asarray(value).tolist()
