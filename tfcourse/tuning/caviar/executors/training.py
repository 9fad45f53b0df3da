"""Training a batch, wherever that is: what comes of it depends on it alone."""

import collections
import pathlib
from collections.abc import Sequence
from typing import Any

import keras_tuner

from tfcourse.tuning._keras_tuner import Trial, TrialStatus
from tfcourse.tuning.caviar.arguments.fit_arguments import SearchArguments
from tfcourse.tuning.caviar.executors.interface import (
    Job,
    JobResult,
    Shared,
    TrialResult,
)
from tfcourse.tuning.caviar.executors.programs import KeptPrograms
from tfcourse.tuning.tuners.guarded_search import locked_project
from tfcourse.utils import global_state

_TRIAL_FILE = "trial.json"


class Trainer:
    """Trains jobs of one search in a folder of its own.

    Args:
        shared: What all jobs have in common.
        folder: An empty folder.
    """

    def __init__(self, shared: Shared, folder: str | pathlib.Path) -> None:
        self._oracle = _Reports(shared.objective, shared.seed)
        self._tuner = _on_worker(shared.tuner)(
            oracle=self._oracle,
            directory=folder,
            project_name="batch",
            **shared.settings,
        )
        self._project = pathlib.Path(self._tuner.project_dir)
        self._search = SearchArguments(shared.args, shared.kwargs)
        self._kept = KeptPrograms()

    def train(self, job: Job) -> JobResult:
        """Returns what comes of a job."""
        tuner = self._tuner
        tuner.groups.clear()
        trials = [Trial.from_state(state) for state in job.trials]
        for trial in trials:
            # What it has of an attempt before would be taken for this one's.
            trial.metrics = type(trial.metrics)()
        self._oracle.begin(trials)
        with (
            locked_project(self._project),
            global_state.preserved(),
            global_state.only_new_garbage(),
        ):
            global_state.clear_session()
            for name, content in job.files.items():
                path = self._project / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            begun = [tuner.begin_trial(t, self._search) for t in trials]
            programs = self._kept.of_batch(job.batch)
            only = frozenset(job.only)
            tuner.train_begun(begun, programs, None, self._search, only)
        self._kept.keep(programs)
        chosen = [trial for trial in trials if trial.trial_id in job.only]
        result = JobResult(
            [self._result(trial) for trial in chosen], list(tuner.groups)
        )
        self._clear()
        return result

    def _result(self, trial: Trial) -> TrialResult:
        result = self._oracle.results[trial.trial_id]
        folder = pathlib.Path(self._tuner.get_trial_dir(trial.trial_id))
        result.files = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != _TRIAL_FILE
        }
        return result

    def _clear(self) -> None:
        for path in sorted(self._project.rglob("*"), reverse=True):
            # The lock stays, as the folder does.
            if path.is_file() and path.parent != self._project:
                path.unlink()


def _on_worker(tuner: type) -> Any:
    class OnWorker(tuner):
        """One whose search space is known: its trials are given."""

        def explore_space(self) -> None:
            pass

    return OnWorker


class _Reports(keras_tuner.Oracle):
    """Stands for the oracle of a search, and notes what it is told.

    Attributes:
        results: From the id of each trial to its `TrialResult`.
    """

    def __init__(self, objective: Any, seed: int) -> None:
        super().__init__(objective=objective, seed=1)
        self.seed = seed
        self.verbose = 0
        self.results: dict[str, TrialResult] = {}
        self._known: collections.Counter[str] = collections.Counter()

    def begin(self, trials: Sequence[Trial]) -> None:
        """Takes the trials of a job in place of those before."""
        self.trials = {trial.trial_id: trial for trial in trials}
        self.results = {
            i: TrialResult(i, TrialStatus.FAILED) for i in self.trials
        }
        for trial in trials:
            self._known[trial.trial_id] = len(trial.hyperparameters.space)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        return {"status": TrialStatus.STOPPED}

    def update_trial(
        self, trial_id: str, metrics: dict[str, Any], step: int = 0
    ) -> Trial:
        self.results[trial_id].reports.append((dict(metrics), step))
        return super().update_trial(trial_id, metrics, step)

    def end_trial(self, trial: Trial) -> None:
        result = self.results[trial.trial_id]
        result.status, result.message = trial.status, trial.message
        hp = trial.hyperparameters
        if len(hp.space) > self._known[trial.trial_id]:
            result.hyperparameters = hp.get_config()

    # Only the search itself keeps files of its trials.

    def save(self) -> None:
        pass

    def _save_trial(self, trial: Trial) -> None:
        pass

    def reload(self) -> None:
        pass
