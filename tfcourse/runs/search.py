"""The main job: search, report and model, in one folder."""

import contextlib
import dataclasses
import io
import logging
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.runs.artifacts import with_preprocessing, write_model
from tfcourse.runs.baselines import baselines
from tfcourse.runs.best.ensemble import write_ensemble
from tfcourse.runs.best.finalists import Finalists
from tfcourse.runs.evolution.search import (
    check_evolves,
    evolution,
    holding_sizes,
    winners_schedule,
)
from tfcourse.runs.folders import check_unused, lock_of, locked
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.scores import evaluation
from tfcourse.runs.settings import Settings, check_device, objective_of
from tfcourse.runs.spaces import (
    SPACES,
    first_trial,
    holding,
    load_space,
    probe,
)
from tfcourse.tuning._keras_tuner import checkpoint_path
from tfcourse.tuning.caviar.executors.interface import Executor
from tfcourse.tuning.caviar.executors.local import LocalExecutor
from tfcourse.tuning.caviar.failures import AllTrialsFailedError, learning_rates
from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.tuning.evolution.schedule import HyperparameterSchedule
from tfcourse.tuning.oracles.choice import choose_oracle
from tfcourse.tuning.report.page import write_report
from tfcourse.tuning.results.axes import read_axes
from tfcourse.tuning.results.manifest import (
    EVALUATION,
    FILE,
    read_manifest,
    readable_or_input_error,
    write_manifest,
)
from tfcourse.tuning.results.replication.replicates import Replicates
from tfcourse.tuning.results.table import write_table
from tfcourse.tuning.results.trials import (
    DEV_LOSSES,
    TrialRecord,
    count_alone,
    count_programs,
    mean_seconds,
    ranked,
    read_groups,
    read_records,
)
from tfcourse.tuning.tuners.cross_validation import CrossValidated
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.tuning.tuners.weights import are_whole
from tfcourse.utils.atomic_files import write_json

_log = logging.getLogger(__name__)

_STRATEGIES = {"caviar": Caviar, "serial": SerialTuner}

OnTrials = Callable[[list[TrialRecord]], Any]


@dataclasses.dataclass(frozen=True)
class SearchRunResult:
    """What a finished search found.

    Attributes:
        folder: The run's folder.
        best: The `TrialRecord` of the best trial.
        completed: How many trials completed.
        failed: How many failed.
        programs: How many programs trained several of them each.
        alone: How many were trained by themselves.
        seconds_per_trial: How long a trial trained, on average.
        dev: The best model's scores on the development set, by name; `None` if
            trials were scored by folds.
        test: The same on the test set, by which nothing was chosen.
        intervals: The 95 % interval of each score, for each set.
        baselines: What takes no search reaches there, as of `baselines`.
        replicates: The `Replicates` of the trials that were trained with
            several seeds, the best mean first.
        ensemble: What `write_ensemble` found, or `None`.
        schedule: What the best was trained with, if hyperparameters evolved.
    """

    folder: pathlib.Path
    best: TrialRecord
    completed: int
    failed: int
    programs: int
    alone: int
    seconds_per_trial: float
    dev: dict[str, float] | None
    test: dict[str, float]
    intervals: dict[str, dict[str, tuple[float, float]]]
    baselines: dict[str, dict[str, dict[str, float]]]
    replicates: list[Replicates]
    ensemble: dict[str, Any] | None
    schedule: HyperparameterSchedule | None = None


class SearchRun:
    """A search in a folder, which can be stopped at any moment and goes on.

    The folder has `run.json` (settings, versions, fingerprint of the data),
    `search/` (the keras-tuner project), `trials.csv`, and at the end
    `evaluation.json` (how good the best model is on each set), `report.html`,
    `model.keras`, `model/` (a SavedModel) and some examples of the test set,
    `examples.csv` or `examples.npz`.

    Args:
        settings: The `Settings`.
        folder: Where to write; must be new or empty, unless `resume`.
        resume: Whether to go on with the run that is in the folder.
        data: The data of the settings, if they have been loaded.

    Raises:
        InputError: If something in the settings, the data or the folder is
            wrong. Nothing has been written then.
    """

    def __init__(
        self,
        settings: Settings,
        folder: str | pathlib.Path,
        *,
        resume: bool = False,
        data: PreparedData | None = None,
    ) -> None:
        self.folder = pathlib.Path(folder)
        self._lock = lock_of(self.folder)
        self._records = []
        self._manifest = None
        self._finalists: Finalists | None = None
        if resume:
            self._manifest = read_manifest(self.folder, "search")
        else:
            check_unused(self.folder)
        check_device(settings.device)
        self.data = data or PreparedData.load(settings)
        if settings.folds:
            self.data = self.data.with_dev_in_training()
            self.data.check_folds(settings.folds)
        self.settings = settings = settings.of_task(
            self.data.task, self.data.kind, len(self.data.split.train)
        )
        self.objective = objective_of(settings.objective)
        if resume:
            self._check_same_data()
        space = load_space(
            settings.space,
            self.data.input_shape,
            self.data.classes,
            self.data.task,
            self.objective.name,
            len(self.data.split.train),
        )
        self.space = holding(space, settings.fix)
        if settings.evolve and settings.space in SPACES:
            self.space = holding_sizes(self.space)
        self._first = first_trial(self.space, settings.begin)
        self._oracle()  # Refuses what cannot be.
        probe(
            self.space,
            *self.data.first_examples(),
            self.data.classes,
            self.objective,
            self.data.task,
        )
        if settings.evolve and not resume:
            check_evolves(settings, self.space, self.objective, self._fit())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out of the folder.

        `search` and `finish` do so by themselves; a `with` block around both
        leaves no gap between them.

        Raises:
            InputError: If another process is in it.
        """
        with locked(self.folder, self._lock):
            yield

    def records(self) -> list[TrialRecord]:
        """Returns the `TrialRecord` of each trial so far, in order of start."""
        self._records = read_records(self._project, self._records)
        return self._records

    def search(
        self,
        progress: OnTrials | None = None,
        executor: Executor | None = None,
    ) -> None:
        """Runs the trials that are not done yet.

        Args:
            progress: Called with the list of `TrialRecord` after each trial.
            executor: As for `Caviar`.

        Raises:
            InputError: If trials are trained one by one, or evolve, and by an
                executor.
        """
        self.check_executor(executor)
        if self.settings.population and not self.settings.evolve:
            executor = executor or LocalExecutor()
        with self.locked():
            self._check_unchanged()
            self._write_manifest()
            tuner = self._tuner(progress, executor)
            if self._restore_best(tuner):
                tuner = self._tuner(progress, executor, overwrite=True)
            # `finish` says so, once it has written the table.
            with contextlib.suppress(AllTrialsFailedError):
                self._search_by(tuner)

    def check_executor(self, executor: Executor | None) -> None:
        """Raises an `InputError` if trials cannot be trained by an executor."""
        if executor and self.settings.evolve:
            raise InputError(
                "--evolve trains all members as one program, in one process: "
                "leave out --ray, or --evolve."
            )
        if executor and self.settings.strategy != "caviar":
            raise InputError(
                "--ray is for trials that train together: leave out --ray, or "
                f"--strategy {self.settings.strategy}."
            )

    def replicate(self) -> None:
        """Trains the best few trials with `seeds` of the settings, if any.

        `finish` then chooses by their means.
        """
        with self.locked():
            best = ranked(self.records(), self.objective.direction)
            if self.settings.seeds and best:
                self._finalists = Finalists(
                    self.folder,
                    self.space,
                    self.objective,
                    self.settings,
                    best,
                )
                self._finalists.train(self._search_by)

    def _search_by(self, tuner):
        tuner.search(**self._fit())

    def _fit(self):
        """Returns what a tuner's `search` is called with."""
        x, y = self.data.part("train")
        return {
            "x": x,
            "y": y,
            **self._held_out(),
            "epochs": self.settings.epochs,
            "verbose": 0,
            **self.data.fit_settings(self.settings),
            **self._early_stopping(),
        }

    def finish(self) -> SearchRunResult:
        """Writes the report and the best model.

        Returns:
            The `SearchRunResult`.

        Raises:
            InputError: If no trial completed.
        """
        with self.locked():
            # Again, as a crash may have come before the last row was written.
            records = self._write_trials()
            finalists = self._finalists
            replicates = finalists.replicates() if finalists else []
            best, *others = self._best(records, replicates)
            model = self._model(best, replicates)
            groups = read_groups(self._project)
            found = evaluation(model, self.data)
            result = SearchRunResult(
                folder=self.folder,
                best=best,
                completed=sum(r.status == "completed" for r in records),
                failed=sum(r.status == "failed" for r in records),
                programs=count_programs(groups),
                alone=count_alone(records, groups),
                seconds_per_trial=mean_seconds(records),
                dev=found.get("dev", {}).get("scores"),
                test=found["test"]["scores"],
                intervals={
                    name: one["intervals"] for name, one in found.items()
                },
                baselines=baselines(self.data),
                replicates=replicates,
                ensemble=self._write_ensemble(best, model, others, replicates),
                schedule=self._schedule(best),
            )
            write_model(
                model,
                self.data,
                self.folder,
                self.settings.target,
                dev=result.dev,
                test=result.test,
                hyperparameters=best.hyperparameters,
            )
            write_json(self.folder / EVALUATION, found)
            self._write_manifest(result)
            write_report(self.folder)
        return result

    @property
    def _project(self) -> pathlib.Path:
        return self.folder / "search"

    def _check_same_data(self):
        manifest = read_manifest(self.folder, "search")
        with readable_or_input_error(self.folder / FILE):
            known = manifest["data"]["fingerprint"]
        if known != self.data.dataset.fingerprint():
            raise InputError(
                f"The data {self.settings.data} are not the ones that "
                f"{self.folder} was started with. Restore them, or start a "
                "new run with another --out."
            )

    def _check_unchanged(self):
        """Refuses what another process began before the folder was locked."""
        if self._manifest is None:
            check_unused(self.folder)
        elif read_manifest(self.folder, "search") != self._manifest:
            raise InputError(
                f"Another process has continued the search in {self.folder} "
                "in the meantime. Start the same command again."
            )

    def _early_stopping(self):
        if self.settings.early_stopping is None:
            return {}
        stop = keras.callbacks.EarlyStopping(
            self.objective.name,
            patience=self.settings.early_stopping,
            mode=self.objective.direction,
        )
        return {"callbacks": [stop]}

    def _held_out(self):
        if self.settings.folds:
            return {}
        return {"validation_data": self.data.part("dev")}

    def _oracle(self):
        return choose_oracle(
            self.objective,
            self.settings.trials,
            self.settings.seed,
            rounds=self.settings.rounds,
            sampler=self.settings.sampler,
            time_limit=self.settings.time_limit,
            target=self.settings.target_score,
            initial_points=self._first,
        )

    def _schedule(self, best):
        if not self.settings.evolve:
            return None
        return winners_schedule(self._project, best)

    def _tuner(self, progress=None, executor=None, overwrite=False):
        if self.settings.evolve:
            return evolution(
                self.settings,
                self.space,
                oracle=self._oracle(),
                overwrite=overwrite,
                **self._kept(progress),
            )
        space, folds = self.space, self.settings.folds
        if folds:
            space = CrossValidated(space, folds, self.settings.seed)
        tuner_class = _STRATEGIES[self.settings.strategy]
        how = {}
        if executor:
            population = self.settings.population
            how = {"executor": executor, "population": population}
        # keras-tuner prints that it reloads.
        with contextlib.redirect_stdout(io.StringIO()):
            return tuner_class(
                oracle=self._oracle(),
                hypermodel=space,
                **self._kept(progress),
                **how,
            )

    def _kept(self, progress):
        """Returns what any tuner writes where."""
        return {
            "on_trial": lambda *_: self._write_trials(progress),
            "break_ties_by": DEV_LOSSES,
            "directory": self.folder,
            "project_name": self._project.name,
        }

    def _restore_best(self, tuner):
        """Lets the best trial run again if its weights are lost.

        Of members that evolve none can alone: it returns whether all must.
        """
        lost = False
        for best in ranked(self.records(), self.objective.direction)[:1]:
            path = checkpoint_path(tuner, best.trial)
            if not are_whole(path):
                _log.warning(
                    "%s is missing or damaged: %s trained again.",
                    path,
                    "all members are"
                    if self.settings.evolve
                    else f"trial {best.trial} is",
                )
                lost = self.settings.evolve
                if not lost:
                    tuner.run_again(best.trial)
                self._records = []
        return lost

    def _write_trials(self, progress=None):
        records, axes = self.records(), read_axes(self._project)
        write_table(records, axes, self.folder / "trials.csv")
        if progress:
            progress(records)
        return records

    def _best(self, records, replicates):
        """Returns the completed trials, those with the best means first."""
        best = {r.trial: r for r in ranked(records, self.objective.direction)}
        if best:
            first = {one.trial: best[one.trial] for one in replicates}
            return list((first | best).values())
        reasons = [record.message for record in records if record.message]
        raise InputError(
            f"None of the {len(records)} trials in {self.folder} completed. "
            f"The first reason was: {reasons[0] if reasons else 'none given'}."
            f"{learning_rates(records)} Fix the cause, or search other "
            "learning rates, in a new run."
        )

    def _model(self, record, replicates) -> keras.Model:
        """Returns the model of a trial, which takes raw features."""
        if record.trial in [one.trial for one in replicates]:
            network = self._finalists.model_of(record.trial)
        else:
            network = self._network(record)
        # Loading warns of an optimizer that was saved before it was built.
        network.optimizer.build(network.trainable_variables)
        return with_preprocessing(network, self.data)

    def _network(self, record) -> keras.Model:
        """Returns the model of a trial, which takes normalised features."""
        tuner = self._tuner()
        return tuner.load_model(tuner.oracle.get_trial(record.trial))

    def _write_ensemble(self, best, model, others, replicates):
        if self.settings.ensemble is None:
            return None
        models = {best.trial: model}
        for record in others[: self.settings.ensemble - 1]:
            models[record.trial] = self._model(record, replicates)
        return write_ensemble(models, self.data, self.folder / "ensemble")

    def _write_manifest(self, result=None):
        found = result and {
            "best_trial": result.best.trial,
            "programs": result.programs,
            "alone": result.alone,
            "seconds_per_trial": result.seconds_per_trial,
            "dev": result.dev,
            "test": result.test,
            "intervals": result.intervals,
            "baselines": result.baselines,
            **_of_the_best_few(result),
        }
        write_manifest(
            self.folder,
            "search",
            settings=dataclasses.asdict(self.settings),
            objective=vars(self.objective),
            data=self.data.describe(),
            result=found,
        )
        self._manifest = read_manifest(self.folder, "search")


def _of_the_best_few(result):
    """Returns what `run.json` says of seeds, ensemble and schedule, if any."""
    found = {}
    if result.replicates:
        found["replicates"] = [one.to_json() for one in result.replicates]
    if result.ensemble:
        found["ensemble"] = result.ensemble
    if result.schedule:
        found["schedule"] = dataclasses.asdict(result.schedule)
    return found
