"""The second step: which trials may be trained together with others.

Those that are nothing but a `fit`.
"""

import dataclasses
import functools
import warnings
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras
import keras_tuner

from tfcourse.tuning import supernet
from tfcourse.tuning._keras_tuner import (
    Trial,
    build_config_path,
    build_model,
    checkpoint_path,
)
from tfcourse.tuning.caviar.arguments.fit_arguments import (
    SearchArguments,
    fit_arguments,
)
from tfcourse.tuning.population import (
    CannotVectorize,
    build_deferred,
)
from tfcourse.tuning.population.deferred import build_deferred_for
from tfcourse.tuning.population.functional.build import build_for, has_input
from tfcourse.tuning.population.made_before import (
    ChangesWhatWasMadeBefore,
    constants_made_before,
)
from tfcourse.tuning.population.settings.reading import (
    Settings,
    digest_and_settings,
)
from tfcourse.tuning.population.structure.open_sizes import (
    are_open,
    without_sizes,
)
from tfcourse.tuning.population.structure.reader import Structure
from tfcourse.tuning.supernet.supported import is_supported_optimizer
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils.atomic_files import read_json
from tfcourse.utils.keras_private import (
    every_layer,
    fresh_names,
    noting_created,
)

_HOOKS = ("on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end")
# What a Hyperband oracle sets: whose weights a trial begins with.
_CONTINUES = "tuner/trial_id"
_OPTIMIZER = "optimizer"


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A trial that may be trained together with others.

    Attributes:
        trial: The `keras_tuner` trial.
        build: A function that builds its model.
        model: Its model, with deferred initialization.
        arguments: What it would be fitted with, a dict.
        constants: The variables of the model that existed before its build.
        structure: What `digest_and_settings` gave for it, right after its
            build.
        settings: What it gave beside that.
        shared: The ids of layers that existed before its build.
        initializers: What its initial weights are drawn from, each with the
            settings that it had then.
        family: What `supernet.family` gave then.
        seed: What it was seeded with.
        may_differ: Whether it may train with others of other sizes. If not,
            `family` is None.
    """

    trial: Trial
    build: Callable[[], keras.Model]
    model: keras.Model
    arguments: dict
    constants: Sequence[keras.Variable] = ()
    structure: Structure = dataclasses.field(default=(), repr=False)
    settings: Settings = dataclasses.field(default_factory=Settings, repr=False)
    shared: frozenset[int] = frozenset()
    initializers: Sequence[tuple[Any, Structure]] = dataclasses.field(
        default=(), repr=False
    )
    family: tuple[tuple, tuple] | None = dataclasses.field(
        default=None, repr=False
    )
    seed: int = 0
    may_differ: bool = True

    def __post_init__(self) -> None:
        if not self.structure:
            kept, settings = digest_and_settings(
                self.model, self.constants, self.shared
            )
            object.__setattr__(self, "settings", settings)
            object.__setattr__(self, "structure", kept.structure)
            object.__setattr__(self, "initializers", kept.initializers)
            if self.may_differ and supernet.are_in_prefix(
                self.constants, self.model
            ):
                family = supernet.family(self.model)
                if family is not None:
                    names = dict(kept.structure)["names"]
                    family = (names, family[0]), family[1]
                object.__setattr__(self, "family", family)

    @property
    def continues(self) -> bool:
        """Whether it begins with the weights of another trial."""
        return _CONTINUES in self.trial.hyperparameters.values

    @property
    def optimizer(self) -> Structure:
        """The structure of its optimizer."""
        return dict(self.structure)[_OPTIMIZER]

    @property
    def shared_structure(self) -> Structure:
        """All of its structure but the optimizer."""
        return tuple(part for part in self.structure if part[0] != _OPTIMIZER)

    @functools.cached_property
    def open_structure(self) -> Structure:
        """Its structure, without sizes that a program may leave open."""
        structure = self.structure
        if is_supported_optimizer(self.model.optimizer):
            structure = without_sizes(structure, every_layer(self.model))
        return structure

    @property
    def shared_open_structure(self) -> Structure:
        """That without the optimizer."""
        return tuple(p for p in self.open_structure if p[0] != _OPTIMIZER)

    @functools.cached_property
    def open_family(self) -> Hashable:
        """What those share that one step can train, or None.

        That are networks of a family, of other depths, too.
        """
        every = every_layer(self.model)
        causal = any(getattr(x, "padding", "") == "causal" for x in every)
        if self.family is None or causal or not are_open(every):
            return None
        return self.family[0]

    @property
    def may_switch(self) -> bool:
        """Whether other optimizers' steps may be computed beside its own."""
        if self.family is not None or (
            not self.model.built and supernet.parts_of(self.model) is not None
        ):
            return supernet.is_small(self.model)
        return (
            is_supported_optimizer(self.model.optimizer)
            and self.model.built
            and self.model.count_params() <= supernet.SMALL
        )

    @property
    def folds(self) -> int:
        """How many models like it score one execution of the trial."""
        subsets = self.arguments["subsets"]
        return 1 if subsets is None else len(subsets[0])


@dataclasses.dataclass
class SerialTrial:
    """A trial that must be trained alone, and why.

    Attributes:
        trial: The `keras_tuner` trial.
        why: The reason.
        may_register: Whether hyperparameters may be met that no build of the
            model has shown, when it is run.
        changes_shared: Whether it trains what other trials may use, too.
    """

    trial: Trial
    why: str
    may_register: bool = False
    changes_shared: bool = False


def make_candidate(
    trial: Trial,
    tuner: SerialTuner,
    search: SearchArguments,
    run_trial: Callable,
    early_stopping: int | keras.callbacks.EarlyStopping | None,
    may_differ: bool = True,
) -> Candidate | SerialTrial:
    """Returns a trial as a candidate to be trained together with others.

    Args:
        trial: The trial, which has begun.
        tuner: The tuner whose trial it is.
        search: What its `search` was called with.
        run_trial: The method that a tuner overrides to train trials itself.
        early_stopping: As for `Population.fit`.
        may_differ: Whether it may train with others of other sizes.
    """
    try:
        _check_vectorizable(tuner, run_trial)
        return _candidate(trial, tuner, search, early_stopping, may_differ)
    except CannotVectorize as error:
        return SerialTrial(
            trial,
            str(error),
            _registers_late(tuner, run_trial),
            isinstance(error, ChangesWhatWasMadeBefore),
        )


def _registers_late(tuner: SerialTuner, run_trial: Callable) -> bool:
    """Whether code of the user's takes hyperparameters after the build."""
    space = getattr(tuner.hypermodel, "hypermodel", tuner.hypermodel)
    return (
        type(tuner).run_trial is not run_trial
        or type(space).fit is not keras_tuner.HyperModel.fit
    )


def _check_vectorizable(tuner: SerialTuner, run_trial: Callable) -> None:
    """Raises `CannotVectorize` if a tuner's trials must be trained alone."""
    if type(tuner).run_trial is not run_trial:
        raise CannotVectorize("the tuner overrides `run_trial`")
    for hook in _HOOKS:
        if getattr(type(tuner), hook) is not getattr(keras_tuner.Tuner, hook):
            raise CannotVectorize(f"the tuner overrides `{hook}`")
    if tuner.max_model_size is not None:
        raise CannotVectorize("a `max_model_size` is given")
    strategy = tuner.distribution_strategy
    if strategy is not None and not _is_where_it_trains(strategy):
        raise CannotVectorize("a `distribution_strategy` is given")
    if type(tuner.oracle.objective) is not keras_tuner.Objective:
        raise CannotVectorize("its objective is not one metric")


def _is_where_it_trains(strategy: Any) -> bool:
    """Whether a strategy is the one device that Keras takes by itself."""
    if type(strategy).__name__ != "OneDeviceStrategy":
        return False
    # Who has one has imported TensorFlow.
    from tfcourse.tuning.population.engines.strategies import is_default_device

    return is_default_device(strategy)


def _candidate(
    trial: Trial,
    tuner: SerialTuner,
    search: SearchArguments,
    early_stopping: int | keras.callbacks.EarlyStopping | None,
    may_differ: bool,
) -> Candidate:
    """Returns the candidate, or raises `CannotVectorize`."""
    hp, seed = trial.hyperparameters, tuner.seed_of(trial)
    build = functools.partial(build_model, tuner)

    def fitted_with() -> dict:
        return fit_arguments(
            tuner.hypermodel,
            hp,
            dataclasses.replace(
                search, kwargs=search.kwargs | hyperband_epochs(hp)
            ),
            early_stopping,
        )

    arguments = inputs = None
    # Metrics have the names that they would have if it was built alone.
    with fresh_names(), noting_created() as created:
        model = _first_deferred(hp, build, seed)
        if not has_input(model):
            # What its first layers are is known before its shapes.
            constants_made_before(model, created)
            arguments = fitted_with()
            inputs = search.inputs.of(arguments["x"])
            _build_for(model, inputs)
    constants = constants_made_before(model, created)
    build = functools.partial(_build, tuner, hp, inputs)
    shared = {id(layer) for layer in every_layer(model)} - created.operations
    candidate = Candidate(
        trial,
        build,
        model,
        {},
        constants,
        shared=frozenset(shared),
        seed=seed,
        may_differ=may_differ,
    )
    return dataclasses.replace(candidate, arguments=arguments or fitted_with())


def _first_deferred(
    hp: keras_tuner.HyperParameters,
    build: Callable[[keras_tuner.HyperParameters], keras.Model],
    seed: int,
) -> keras.Model:
    """Returns the deferred model, or raises `CannotVectorize`."""
    try:
        model = _build_deferred(hp, functools.partial(build, hp), seed)
    except Exception as error:
        raise CannotVectorize(
            f"its model cannot be built: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(model, keras.Model) or not model.compiled:
        raise CannotVectorize("it is not a compiled Keras model")
    return model


def _build_for(model: keras.Model, inputs: Any) -> None:
    """Gives a deferred model the shapes of the data."""
    try:
        build_deferred_for(model, inputs)
    except Exception as error:
        raise CannotVectorize(
            "its model has no Input, and cannot be built from the shapes of "
            f"its data: {type(error).__name__}: {error}"
        ) from error


def _build(
    tuner: SerialTuner, hp: keras_tuner.HyperParameters, inputs: Any
) -> keras.Model:
    """Returns the model of some hyperparameters, whose shapes are known.

    Args:
        tuner: The tuner.
        hp: The hyperparameters.
        inputs: The inputs of its data if it has none itself, or None.
    """
    with fresh_names():
        model = build_model(tuner, hp)
        if inputs is not None:
            build_for(model, inputs)
        return model


def executions(candidate: Candidate, tuner: SerialTuner) -> list[Candidate]:
    """Returns a list of the candidate, and of those like it for the folds and
    executions of its trial that are left; the folds of one follow each other.
    """
    others = range(1, tuner.executions_per_trial * candidate.folds)
    hp = candidate.trial.hyperparameters
    seeds = [tuner.seed_of(candidate.trial, n) for n in others]
    return [candidate] + [
        dataclasses.replace(
            candidate,
            model=_build_deferred(hp, candidate.build, seed),
            seed=seed,
        )
        for seed in seeds
    ]


def _build_deferred(
    hp: keras_tuner.HyperParameters,
    build: Callable[[], keras.Model],
    seed: int,
) -> keras.Model:
    if _CONTINUES in hp.values:
        # Deferred variables have no place for the weights of another trial.
        keras.utils.set_random_seed(seed)
        return build()
    return build_deferred(build, seed)


# Hyperband


def hyperband_epochs(hp: keras_tuner.HyperParameters) -> dict[str, int]:
    """Returns the epochs that a Hyperband oracle gives a trial."""
    if "tuner/epochs" not in hp.values:
        return {}
    return {
        "epochs": hp.values["tuner/epochs"],
        "initial_epoch": hp.values["tuner/initial_epoch"],
    }


def goes_on_from(hp: keras_tuner.HyperParameters) -> str | None:
    """Returns the id of the trial with whose weights one begins, if any."""
    return hp.values.get(_CONTINUES)


def load_hyperband_weights(
    model: keras.Model, hp: keras_tuner.HyperParameters, tuner: SerialTuner
) -> None:
    """Loads those that the trial goes on from, if a Hyperband oracle says."""
    if _CONTINUES not in hp.values:
        return
    trial_id = hp.values[_CONTINUES]
    model.build_from_config(read_json(build_config_path(tuner, trial_id)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipping variable loading")
        model.load_weights(checkpoint_path(tuner, trial_id))
