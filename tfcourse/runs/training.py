"""One model, one run, watched by Panda, in one folder."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.runs.artifacts import with_preprocessing, write_model
from tfcourse.runs.baselines import baselines
from tfcourse.runs.folders import check_unused, lock_of, locked
from tfcourse.runs.hyperparameter_values import registered
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.scores import evaluation
from tfcourse.runs.settings import (
    TrainSettings,
    check_device,
    objective_of,
    read_training_settings,
)
from tfcourse.runs.spaces import holding, load_space, probe
from tfcourse.tuning.panda import Panda, read_journal
from tfcourse.tuning.panda.journal.journal import checked
from tfcourse.tuning.panda.journal.page import write_page
from tfcourse.tuning.results.manifest import (
    EVALUATION,
    read_manifest,
    write_manifest,
)
from tfcourse.tuning.search_space.scales import to_display
from tfcourse.utils.atomic_files import write_json


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What a finished run reached.

    Attributes:
        folder: The run's folder.
        hyperparameters: Name to value, all of them.
        epochs: How many epochs it was trained for.
        dev: Its scores on the development set, by name; `None` if it was
            trained on that set, too.
        test: The same on the test set, by which nothing was chosen.
        baselines: What takes no search reaches there, as of `baselines`.
        intervals: The 95 % interval of each score, for each set.
    """

    folder: pathlib.Path
    hyperparameters: dict[str, Any]
    epochs: int
    dev: dict[str, float] | None
    test: dict[str, float]
    baselines: dict[str, dict[str, dict[str, float]]] = dataclasses.field(
        default_factory=dict
    )
    intervals: dict[str, dict[str, Sequence[float]]] = dataclasses.field(
        default_factory=dict
    )


class TrainingRun:
    """A run in a folder, which can be stopped at any moment and goes on.

    The folder has `run.json` (settings, versions, fingerprint of the data),
    `panda/` (journal and checkpoints), and at the end `report.html`,
    `model.keras`, `model/` (a SavedModel) and some examples of the test set,
    `examples.csv` or `examples.npz`.

    The model is that of the best epoch by the objective; without a development
    set, that of the last.

    Args:
        settings: The `TrainSettings`.
        folder: Where to write: new or empty, or with a run of the same
            settings, which then goes on.
        data: The data of the settings, if they have been loaded.

    Raises:
        InputError: If something in the settings, the data or the folder is
            wrong. Nothing has been written then.
    """

    def __init__(
        self,
        settings: TrainSettings,
        folder: str | pathlib.Path,
        data: PreparedData | None = None,
    ) -> None:
        self.settings = settings
        self.folder = pathlib.Path(folder)
        check_device(settings.search.device)
        self.data = self._data(data)
        search = settings.search.of_task(
            self.data.task, self.data.kind, len(self.data.split.train)
        )
        self.settings = dataclasses.replace(settings, search=search)
        self.objective = objective_of(search.objective)
        self._lock = lock_of(self.folder)
        self._result = self._known_result()
        space = load_space(
            search.space,
            self.data.input_shape,
            self.data.classes,
            self.data.task,
            self.objective.name,
            len(self.data.split.train),
        )
        self.space = holding(space, search.fix)
        probe(
            self.space,
            *self.data.first_examples(),
            self.data.classes,
            self.objective,
            self.data.task,
        )
        self.hp = registered(self.space.build, settings.hyperparameters)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out of the folder.

        `train` and `finish` do so by themselves; a `with` block around both
        leaves no gap between them.

        Raises:
            InputError: If another process is in it, or has meanwhile begun
                something else there.
        """
        with locked(self.folder, self._lock):
            self._result = self._known_result()
            yield

    def train(
        self, on_epoch: Callable[[int, dict[str, float]], None] | None = None
    ) -> bool:
        """Trains up to the number of epochs, from where it stands.

        Args:
            on_epoch: Called after each with its number and its logs.

        Returns:
            Whether it came to the end; not if it was stopped, or if the
            guard gave up.
        """
        with self.locked():
            return self.finished or self._train(on_epoch)

    def _train(self, on_epoch):
        if not (self.folder / "run.json").exists():
            self._write_manifest()
        keras.utils.set_random_seed(self.settings.search.seed)
        self._network = self.space.build(self.hp)
        panda = Panda(self.folder / "panda", **self._monitor())
        report_epoch = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: (
                on_epoch and on_epoch(epoch + 1, logs)
            )
        )
        held_out = (
            {}
            if self.settings.train_on_dev
            else {"validation_data": self.data.part("dev")}
        )
        # A space of the user's may have settings of `fit`, a batch size say.
        self.space.fit(
            self.hp,
            self._network,
            *self.data.part("train"),
            **self.data.fit_settings(self.settings.search),
            epochs=self.settings.search.epochs,
            callbacks=[panda, report_epoch],
            verbose=0,
            **held_out,
        )
        if held_out:
            panda.restore_best()
        return panda.state == "finished"

    def finish(self) -> TrainingResult:
        """Writes the report and the model; computes the test score.

        Returns:
            What it reached: `TrainingResult`.
        """
        with self.locked():
            return self._result or self._finish()

    def _finish(self):
        model = with_preprocessing(self._network, self.data)
        found = evaluation(model, self.data)
        result = {
            "hyperparameters": dict(
                to_display(*item) for item in self.hp.values.items()
            ),
            "epochs": self.settings.search.epochs,
            "dev": found.get("dev", {}).get("scores"),
            "test": found["test"]["scores"],
            "baselines": baselines(self.data),
            "intervals": {n: one["intervals"] for n, one in found.items()},
        }
        write_model(
            model,
            self.data,
            self.folder,
            self.settings.search.target,
            **result,
        )
        entries = checked(read_journal(self.folder / "panda"))
        write_page(entries, self.folder.name, self.folder / "report.html")
        write_json(self.folder / EVALUATION, found)
        self._write_manifest(result)
        self._result = TrainingResult(folder=self.folder, **result)
        return self._result

    @property
    def finished(self) -> bool:
        """Whether all is done, and `finish` only reports it again."""
        return self._result is not None

    def _known_result(self):
        """Returns what a finished run reached, or `None`.

        Raises:
            InputError: If the folder has something else.
        """
        path = self.folder / "run.json"
        if not path.exists():
            check_unused(self.folder)
            return None
        known = read_training_settings(self.folder)
        _check_same(known, self.settings, self.folder)
        result = read_manifest(self.folder, "training")["result"]
        return result and TrainingResult(folder=self.folder, **result)

    def _data(self, data):
        data = data or PreparedData.load(self.settings.search)
        if not self.settings.train_on_dev:
            return data
        return data.with_dev_in_training()

    def _monitor(self):
        name = self.objective.name
        if self.settings.train_on_dev:
            name = name.removeprefix("val_")
        return {"monitor": name, "mode": self.objective.direction}

    def _write_manifest(self, result=None):
        write_manifest(
            self.folder,
            "training",
            settings=dataclasses.asdict(self.settings),
            objective=vars(self.objective),
            data=self.data.describe(),
            result=result,
        )


def _check_same(known: TrainSettings, now: TrainSettings, folder) -> None:
    """Raises unless settings are those that a run was started with."""

    def flat(settings):
        content = dataclasses.asdict(settings)
        return {**content.pop("search"), **content}

    known, now = flat(known), flat(now)
    for name, value in now.items():
        if value != known[name]:
            raise InputError(
                f"The run in {folder} was started with {name} {known[name]}, "
                f"and this command asks for {value}. Leave it unchanged, or "
                "choose another --out."
            )
