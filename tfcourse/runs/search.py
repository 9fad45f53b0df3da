"""The main job: search, report and model, in one folder."""

import contextlib
import dataclasses
import io
import pathlib

import filelock
import keras
import numpy as np

from tfcourse.errors import InputError
from tfcourse.export import (
    class_probabilities,
    export_saved_model,
)
from tfcourse.runs.prepared_data import Examples, in_parts
from tfcourse.runs.search_space import load_space, probe
from tfcourse.runs.settings import objective_of
from tfcourse.tuning.caviar.failures import AllTrialsFailedError, learning_rates
from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.tuning.oracles.coarse_to_fine import CoarseToFineOracle
from tfcourse.tuning.report.page import write_report
from tfcourse.tuning.results.manifest import read_manifest, write_manifest
from tfcourse.tuning.results.trials import (
    TrialRecord,
    ranked,
    read_axes,
    read_groups,
    read_records,
    write_table,
)
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils.atomic_files import replacing, write_text
from tfcourse.utils.environment import package_versions

_STRATEGIES = {"caviar": Caviar, "serial": SerialTuner}


@dataclasses.dataclass(frozen=True)
class Result:
    """What a finished run found.

    Attributes:
        folder: The run's folder.
        best: The `TrialRecord` of the best trial.
        completed: How many trials completed.
        failed: How many failed.
        programs: How many programs trained them: one for each structure, and
            one for each trial that trained alone.
        seconds_per_trial: How long a trial trained, on average.
        dev_accuracy: Share of the development set that the best model gets
            right.
        test_accuracy: The same for the test set, by which nothing was chosen.
    """

    folder: pathlib.Path
    best: TrialRecord
    completed: int
    failed: int
    programs: int
    seconds_per_trial: float
    dev_accuracy: float
    test_accuracy: float


class Run:
    """A search in a folder, which can be stopped at any moment and goes on.

    The folder has `run.json` (settings, versions, fingerprint of the data),
    `search/` (the keras-tuner project), `trials.csv`, and at the end
    `report.html`, `model.keras`, `model/` (a SavedModel) and some examples of
    the test set, `examples.csv` or `examples.npz`.

    Args:
        settings: The `Settings`.
        folder: Where to write; must be new or empty, unless `resume`.
        resume: Whether to go on with the run that is in the folder.

    Raises:
        InputError: If something in the settings, the data or the folder is
            wrong. Nothing has been written then.
    """

    def __init__(self, settings, folder, *, resume=False):
        self.settings = settings
        self.folder = pathlib.Path(folder)
        self._lock = filelock.FileLock(self.folder / ".lock", timeout=0)
        self._records = []
        if not resume:
            refuse_used(self.folder)
        self.objective = objective_of(settings.objective)
        _check_device(settings.device)
        self.examples = Examples.load(settings)
        if resume:
            self._check_same_data()
        dataset = self.examples.dataset
        self.space = load_space(
            settings.space, dataset.x.shape[1:], len(dataset.labels)
        )
        some = self.examples.split.train[:8]
        probe(
            self.space,
            self.examples.x[some],
            dataset.y[some],
            len(dataset.labels),
            self.objective,
        )

    @contextlib.contextmanager
    def locked(self):
        """Keeps other processes out of the folder.

        `search` and `finish` do so by themselves; a `with` block around both
        leaves no gap between them.

        Raises:
            InputError: If another process is in it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with self._lock:
                yield
        except filelock.Timeout:
            raise InputError(
                f"{self.folder} is in use by another process that is still "
                "running. Wait for it, stop it, or choose another --out."
            ) from None

    def records(self):
        """Returns the `TrialRecord` of each trial so far, in order of start."""
        self._records = read_records(self._project, self._records)
        return self._records

    def search(self, progress=None):
        """Runs the trials that are not done yet.

        Args:
            progress: Called with the list of `TrialRecord` after each trial.
        """
        with self.locked():
            self._write_manifest()
            # `finish` says so, once it has written the table.
            with contextlib.suppress(AllTrialsFailedError):
                self._tuner(progress).search(
                    *self.examples.part("train"),
                    validation_data=self.examples.part("dev"),
                    epochs=self.settings.epochs,
                    verbose=0,
                )

    def finish(self):
        """Writes the report and the best model.

        Returns:
            The `Result`.

        Raises:
            InputError: If no trial completed.
        """
        with self.locked():
            # Again, as a crash may have come before the last row was written.
            records = self._write_trials()
            best = self._best(records)
            model = self._model(best)
            result = Result(
                folder=self.folder,
                best=best,
                completed=sum(r.status == "completed" for r in records),
                failed=sum(r.status == "failed" for r in records),
                programs=self._programs(records),
                seconds_per_trial=_mean_seconds(records),
                dev_accuracy=self._accuracy(model, "dev"),
                test_accuracy=self._accuracy(model, "test"),
            )
            self._write_model(model, result)
            self._write_manifest(result)
            write_report(self.folder)
        return result

    @property
    def _project(self):
        return self.folder / "search"

    def _check_same_data(self):
        manifest = read_manifest(self.folder, "search")
        known = manifest["data"]["fingerprint"]
        if known != self.examples.dataset.fingerprint():
            raise InputError(
                f"The data {self.settings.data} are not those that "
                f"{self.folder} was started with. Bring them back, or start a "
                "new run with another --out."
            )

    def _tuner(self, progress=None):
        oracle = CoarseToFineOracle(
            self.objective,
            self.settings.trials,
            self.settings.seed,
            rounds=self.settings.rounds,
        )
        kind = _STRATEGIES[self.settings.strategy]
        # keras-tuner prints that it reloads.
        with contextlib.redirect_stdout(io.StringIO()):
            return kind(
                oracle=oracle,
                hypermodel=self.space,
                on_trial=lambda *_: self._write_trials(progress),
                directory=self.folder,
                project_name=self._project.name,
            )

    def _write_trials(self, progress=None):
        records, axes = self.records(), read_axes(self._project)
        write_table(records, axes, self.folder / "trials.csv")
        if progress:
            progress(records)
        return records

    def _best(self, records):
        best = ranked(records, self.objective.direction)
        if best:
            return best[0]
        reasons = [record.message for record in records if record.message]
        raise InputError(
            f"None of the {len(records)} trials in {self.folder} completed. "
            f"The first reason was: {reasons[0] if reasons else 'none given'}."
            f"{learning_rates(records)} Mend it, or search other learning "
            "rates, in a new run."
        )

    def _model(self, record):
        """Returns the model of a trial, with the normalization before it."""
        tuner = self._tuner()
        network = tuner.load_model(tuner.oracle.get_trial(record.trial))
        # Loading warns of an optimizer that was saved before it was built.
        network.optimizer.build(network.trainable_variables)
        dataset = self.examples.dataset
        features = keras.Input(dataset.x.shape[1:], name="features")
        outputs = network(self.examples.normalization(features))
        model = keras.Model(features, outputs)
        # Not by the network's config, which knows no class of the user's.
        optimizer = type(network.optimizer).from_config(
            network.optimizer.get_config()
        )
        model.compile(optimizer, network.loss, metrics=["accuracy"])
        optimizer.build(model.trainable_variables)
        return model

    def _accuracy(self, model, part):
        positions = getattr(self.examples.split, part)
        dataset = self.examples.dataset
        probabilities = in_parts(
            lambda x: class_probabilities(model, x), dataset.x[positions]
        )
        right = probabilities.argmax(axis=-1) == dataset.y[positions]
        return float(right.mean())

    def _programs(self, records):
        groups = read_groups(self._project)
        together = {trial for group in groups for trial in group["trials"]}
        alone = sum(
            len(group["trials"]) - 1
            for group in groups
            if group["how"] == "alone"
        )
        return len(groups) + alone + len(records) - len(together)

    def _write_model(self, model, result):
        dataset = self.examples.dataset
        with replacing(self.folder / "model.keras") as beside:
            model.save(beside)
        export_saved_model(
            model,
            self.folder / "model",
            labels=list(dataset.labels),
            overwrite=True,
            metadata={
                "data": self.examples.describe(),
                "feature_names": dataset.feature_names,
                "dev_accuracy": result.dev_accuracy,
                "test_accuracy": result.test_accuracy,
                "hyperparameters": result.best.hyperparameters,
                "versions": package_versions(),
            },
        )
        if dataset.feature_names:
            table = self.examples.table(self.settings.target or "class")
            write_text(self.folder / "examples.csv", table)
        else:
            with replacing(self.folder / "examples.npz") as beside:
                np.savez(beside, **self.examples.arrays())

    def _write_manifest(self, result=None):
        found = result and {
            "best_trial": result.best.trial,
            "programs": result.programs,
            "seconds_per_trial": result.seconds_per_trial,
            "dev_accuracy": result.dev_accuracy,
            "test_accuracy": result.test_accuracy,
        }
        write_manifest(
            self.folder,
            "search",
            settings=dataclasses.asdict(self.settings),
            objective=vars(self.objective),
            data=self.examples.describe(),
            result=found,
        )


def refuse_used(folder):
    """Raises an `InputError` unless `folder` is new or empty."""
    folder = pathlib.Path(folder)
    # What a run leaves that was killed before it wrote what it was asked for.
    nothing = {".lock", ".partial-run.json"}
    if folder.is_file() or (
        folder.is_dir() and {path.name for path in folder.iterdir()} - nothing
    ):
        raise InputError(
            f"{folder} exists and is not empty. Choose another --out, or go "
            "on with the run that is in it with --resume."
        )


def _check_device(device):
    if device == "gpu" and not keras.distribution.list_devices("gpu"):
        raise InputError(
            "--device gpu: no GPU is seen. `tfcourse doctor` says what is "
            "missing; --device auto takes a GPU where there is one."
        )


def _mean_seconds(records):
    seconds = [r.seconds for r in records if r.seconds is not None]
    return float(np.mean(seconds)) if seconds else 0.0
