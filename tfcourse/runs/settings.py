"""The settings of a run."""

import dataclasses
import math
import pathlib
from typing import TYPE_CHECKING, Any

from tfcourse import data
from tfcourse.data.table.options import TableOptions
from tfcourse.errors import InputError
from tfcourse.runs.evolution.arguments import (
    check_evolution,
    completed,
    refuse_with_evolve,
)
from tfcourse.tuning.results.manifest import (
    FILE,
    read_manifest,
    readable_or_input_error,
)
from tfcourse.utils.validation import unknown_name

if TYPE_CHECKING:
    import keras_tuner

_BOUNDS = {
    "trials": (1, None),
    "epochs": (1, None),
    "rounds": (1, None),
    "early_stopping": (1, None),
    "folds": (2, None),
    "seeds": (2, None),
    "ensemble": (2, None),
    "population": (1, None),
    "interval": (1, None),
    "image_size": (4, 1024),
    "time_limit": (0, None),
    # scikit-learn and Keras take no larger seed.
    "seed": (0, 2**32 - 1),
}


# Short names that keras-tuner does not know.
_DIRECTIONS = {
    **dict.fromkeys(("f1", "f1_score", "r2", "r2_score"), "max"),
    **dict.fromkeys(("rmse", "mae", "mse", "cross_entropy"), "min"),
}
# Optuna's, that need no more than `pip install tfcourse[samplers]`.
SAMPLERS = ("tpe", "qmc", "cmaes")
STRATEGIES = ("caviar", "serial")
# Of a run that goes on.
_MAY_CHANGE = {"trials", "seeds", "ensemble"}
_OF_TABLES = [field.name for field in dataclasses.fields(TableOptions)]
# The best is the one with the fewest mistakes, or the nearest. A loss has the
# penalties of regularization in it, which must not choose their own strength.
_OBJECTIVES = {"classification": "val_accuracy", "regression": "val_mse"}
_OWN_OBJECTIVES = {**_OBJECTIVES, "regression": "val_loss"}
# In smaller tables variance is what networks suffer from.
_MANY_EXAMPLES = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(TableOptions):
    """The settings of a search, and what is said of a table.

    Attributes:
        data: Name of a bundled data set, path of a file, or of a folder of
            images with a folder for each class.
        space: As for `load_space`; `None` for the course's own, `"small"` for
            tables of fewer than a thousand examples for training, or `"cnn"`
            for images.
        trials: How many trials.
        epochs: Passes over the training set, of each trial; `None` for
            `usual_epochs`.
        rounds: 1 for random search; more to search coarse to fine, in so many
            rounds.
        sampler: One of `SAMPLERS`, by which Optuna chooses instead.
        folds: Score each trial by cross-validation with so many folds of
            training and development set.
        seeds: With how many seeds the best few trials are trained again, to
            choose by the mean; `None` for not at all.
        ensemble: Of how many of the best models the mean of the answers is
            exported, too; `None` for none.
        fix: Hyperparameters that are not searched, each as `"name=value"`.
        begin: The first trial, each hyperparameter as `"name=value"`; others
            are drawn.
        objective: Name of a metric, with `:min` or `:max` where its direction
            is not known; `None` for accuracy, or the squared error of a
            regression, which in a space of the user's own is the loss.
        seed: Of the split, the draws and the initial weights.
        device: `"auto"`, `"cpu"` or `"gpu"`.
        class_weight: `"balanced"` for classes that count alike, however many
            examples they have.
        early_stopping: Stop a trial after so many epochs without a better one.
        time_limit: In seconds: no trial begins later.
        target_score: A search ends with a trial that reaches it.
        strategy: `"caviar"`, many trials as one program, or `"serial"`, one
            after another.
        population: How many trials are trained together at most, each lot by
            itself, as workers do it; `None` for `Caviar`'s own, or 16 with
            workers. With `evolve` how many members there are, 32 if `None`.
        evolve: Whether hyperparameters evolve while trials train, as by
            `tuning.Evolution`; `trials` then is how many members there are.
        interval: As for `Evolution`; `None` for 1, or without `evolve`.
        quantile: Likewise; `None` for 0.25, or without `evolve`.
        image_size: Images become so many pixels wide and high.

    Raises:
        InputError: If a number is out of range, or two settings contradict.
    """

    data: str = "digits"
    space: str | None = None
    trials: int = 64
    epochs: int | None = None
    rounds: int = 3
    sampler: str | None = None
    folds: int | None = None
    seeds: int | None = None
    ensemble: int | None = None
    fix: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()
    objective: str | None = None
    seed: int = 0
    device: str = "auto"
    strategy: str = "caviar"
    class_weight: str | None = None
    early_stopping: int | None = None
    time_limit: float | None = None
    target_score: float | None = None
    population: int | None = None
    evolve: bool = False
    interval: int | None = None
    quantile: float | None = None
    image_size: int | None = None

    def __post_init__(self):
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if value is None:
                continue
            if value < least or (most is not None and value > most):
                bounds = (
                    f"{least} or more"
                    if most is None
                    else (f"from {least} to {most}")
                )
                raise InputError(
                    f"--{name.replace('_', '-')} must be {bounds}. Received: "
                    f"{value}"
                )
        for name in (*_OF_TABLES, "fix", "begin"):
            value = getattr(self, name)
            if isinstance(value, list):  # As JSON has it.
                object.__setattr__(self, name, tuple(value))
        super().__post_init__()  # Refuses what cannot be.
        if self.sampler not in (None, *SAMPLERS):
            raise InputError(unknown_name("--sampler", self.sampler, SAMPLERS))
        if self.strategy not in STRATEGIES:
            raise InputError(
                unknown_name("--strategy", self.strategy, STRATEGIES)
            )
        if self.population and self.strategy != "caviar":
            raise InputError(
                "--population is for trials that train together: leave out "
                f"--population, or --strategy {self.strategy}."
            )
        self._check_folds()
        check_evolution(self)
        for name, value in completed(self).items():
            object.__setattr__(self, name, value)

    def _check_folds(self):
        for name in ("split", "group", "time", "dev") if self.folds else ():
            if getattr(self, name):
                raise InputError(
                    f"--{name} says which rows compare the trials, and "
                    "--folds draws them at random: give only one of the two."
                )

    def refuse_table_options(self, but: str | None = None) -> None:
        """Raises if something is said of a table, where there is none.

        Args:
            but: A setting that something else is said of.

        Raises:
            InputError: If so.
        """
        for name in set(_OF_TABLES) - {but}:
            if getattr(self, name):
                option = name.replace("_", "-")
                raise InputError(
                    f"--{option} is for tables in files, and {self.data!r} is "
                    f"not one. Leave out --{option}."
                )

    def refuse_image_size(self) -> None:
        """Raises an `InputError` if there is a size of images."""
        if self.image_size:
            raise InputError(
                f"--image-size is for folders of images, and {self.data!r} is "
                "not one. Leave out --image-size."
            )

    def of_task(
        self, task: str, kind: str = "arrays", examples: int = 1000
    ) -> "Settings":
        """Returns the settings with what follows from task and data.

        Args:
            task: `"classification"` or `"regression"`.
            kind: What the examples are: `"table"`, `"images"` or `"arrays"`.
            examples: How many there are for training.

        Raises:
            InputError: If a setting is for another task.
        """
        if task == "regression" and self.class_weight:
            raise InputError(
                "--class-weight is for classes, and the target is an amount. "
                "Leave it out."
            )
        space = self.space or usual_space(kind, examples)
        usual = _OWN_OBJECTIVES if ":" in space else _OBJECTIVES
        return dataclasses.replace(
            self,
            objective=self.objective or usual[task],
            space=space,
            epochs=self.epochs or usual_epochs(examples),
        )

    def resolved(self) -> "Settings":
        """Returns settings whose paths hold from any working directory."""
        where, _, name = (self.space or "").rpartition(":")
        changes = {}
        if where.endswith(".py"):
            changes["space"] = f"{pathlib.Path(where).resolve()}:{name}"
        if names_file(self.data):
            changes["data"] = str(pathlib.Path(self.data).resolve())
        for name in ("dev", "test"):
            if path := getattr(self, name):
                changes[name] = str(pathlib.Path(path).resolve())
        return dataclasses.replace(self, **changes)

    def resumed(self, **given: Any) -> "Settings":
        """Returns the settings with which a run goes on.

        Args:
            **given: The settings given now. All but `trials`, which may grow,
                `seeds` and `ensemble` must be as before.

        Raises:
            InputError: If something differs from before.
        """
        known = dataclasses.asdict(self)
        given = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
        }
        if self.evolve:
            refuse_with_evolve(given)
        elif given.get("evolve"):
            raise InputError(
                "The run was started without --evolve, and continues so. Leave "
                "out --evolve, or start a new run with another --out."
            )
        now = dataclasses.asdict(dataclasses.replace(self, **given).resolved())
        changed = [name for name in known if now[name] != known[name]]
        if self.evolve and "trials" in changed:
            changed.remove("trials")  # It follows from `population`.
        fewer = now["trials"] < known["trials"]
        for name in changed if fewer else sorted(set(changed) - _MAY_CHANGE):
            raise InputError(
                f"The run was started with --{name} {known[name]}, and "
                f"continues with it. Leave out --{name}, or start a new run "
                "with another --out."
            )
        return dataclasses.replace(
            self, **{name: now[name] for name in _MAY_CHANGE}
        )


def usual_space(kind: str, examples: int) -> str:
    """Returns the space of examples of a kind, as of `Settings.of_task`.

    Args:
        kind: `"table"`, `"images"` or `"arrays"`.
        examples: How many there are for training.
    """
    if kind == "images":
        return "cnn"
    few = kind == "table" and examples < _MANY_EXAMPLES
    return "small" if few else "course"


def usual_epochs(examples: int) -> int:
    """Returns 10, or more of fewer than a thousand examples, up to 100.

    So that a trial sees ten thousand: fewer steps would leave the averages of
    batch norm where they began.

    Args:
        examples: How many there are for training.
    """
    return min(max(10, math.ceil(10_000 / examples)), 100)


def names_file(name: str) -> bool:
    """Returns whether `--data` means a file rather than a bundled set."""
    path = pathlib.Path(name)
    return name not in data.BUNDLED and (
        bool(path.suffix) or "/" in name or "\\" in name or path.is_dir()
    )


def objective_of(text: str) -> "keras_tuner.Objective":
    """Returns the `keras_tuner.Objective` written as `name` or `name:max`.

    Raises:
        InputError: If the direction is neither written nor known.
    """
    import keras_tuner

    name, _, direction = text.partition(":")
    direction = direction or _DIRECTIONS.get(name.removeprefix("val_"))
    if direction in ("min", "max"):
        return keras_tuner.Objective(name, direction)
    try:
        return keras_tuner.Oracle(objective=text).objective
    except ValueError as error:
        raise InputError(
            f"It is not known whether {text!r} should be high or low. Write "
            f"--objective {name}:max or --objective {name}:min."
        ) from error


def check_device(device: str) -> None:
    """Raises an `InputError` for a GPU where there is none.

    Also for a backend with which no model can be exported in the end.
    """
    import keras

    if keras.config.backend() != "tensorflow":
        raise InputError(
            "A run ends with a SavedModel, which Keras's backend "
            f"{keras.config.backend()} cannot write. Unset KERAS_BACKEND; "
            "Caviar and Panda themselves run on JAX, too, from Python."
        )

    if device == "gpu" and not keras.distribution.list_devices("gpu"):
        raise InputError(
            "--device gpu: no GPU was found. `tfcourse doctor` says what is "
            "missing; --device auto uses a GPU if there is one."
        )


def read_settings(folder: str | pathlib.Path) -> Settings:
    """Returns the settings of the search in a folder.

    Raises:
        InputError: If there is no search, or its `run.json` cannot be
            understood.
    """
    manifest = read_manifest(folder, "search")
    with readable_or_input_error(pathlib.Path(folder) / FILE):
        return Settings(**manifest["settings"])


@dataclasses.dataclass(frozen=True)
class TrainSettings:
    """The settings of a single training run.

    Attributes:
        search: The `Settings` of data, space, epochs, seed and device.
        hyperparameters: A dict from name to value; what is left out has the
            default of the search space.
        train_on_dev: Whether to train on the development set, too.
        source: The search that the hyperparameters are of, or `None`.
    """

    search: Settings
    hyperparameters: dict = dataclasses.field(default_factory=dict)
    train_on_dev: bool = False
    source: str | None = None


def read_training_settings(folder: str | pathlib.Path) -> TrainSettings:
    """Returns the settings of the single training run in a folder.

    Raises:
        InputError: If there is no such run, or its `run.json` cannot be
            understood.
    """
    manifest = read_manifest(folder, "training")
    with readable_or_input_error(pathlib.Path(folder) / FILE):
        content = manifest["settings"]
        search = Settings(**content["search"])
        return TrainSettings(**{**content, "search": search})
