"""Optuna's samplers, for any keras-tuner search."""

import contextlib
import dataclasses
import importlib.util
import math
import warnings

import numpy as np

from tfcourse.tuning._keras_tuner import TrialStatus
from tfcourse.tuning.oracles.base import SearchOracle
from tfcourse.tuning.search_space import regions
from tfcourse.utils.validation import check_integer

# What a sampler needs that Optuna does not bring, and pip's name of it.
_SAMPLERS = {
    "tpe": {},
    "cmaes": {"cmaes": "cmaes"},
    "gp": {"torch": "torch", "scipy": "scipy"},
    "qmc": {"scipy": "scipy"},
}
# Optuna's samplers begin with so many random trials.
_AT_LEAST_AT_ONCE = 10
# Proposals asked of a sampler before random ones.
_ATTEMPTS_ASKED = 10
_STATES = {TrialStatus.COMPLETED: "COMPLETE", TrialStatus.FAILED: "FAIL"}
_STUDY = "search"


class OptunaOracle(SearchOracle):
    """Lets one of Optuna's samplers choose the trials.

    Each hyperparameter goes to the sampler on its own scale: logarithms as
    such, whole numbers and ordered choices as whole numbers, what else there
    is as categories; a conditional one only where it is there. Trials that are
    running are known to the sampler, which in TPE takes them for bad ones (the
    "constant liar") so that it does not propose the like. Failed trials are
    told as such.

    The trials of a seed are the same whether or not a search was interrupted,
    as a sampler that is given by name is made anew for each trial, seeded by
    `seed` and the trial's number. One that is given as an object has a random
    state of its own, which a search that goes on does not have.

    `"cmaes"` needs `pip install cmaes`, and `"gp"` needs `torch`.

    Args:
        objective: Name of the metric, or a `keras_tuner.Objective`.
        max_trials: How many trials to draw, at most.
        seed: An integer of 0 or more.
        sampler: `"tpe"` (tree-structured Parzen estimators), `"cmaes"` (CMA
            evolution strategy), `"gp"` (Gaussian process), `"qmc"` (a
            scrambled Sobol sequence), or an `optuna.samplers.BaseSampler`.
        at_once: How many trials may run at a time. By default as many as there
            are results, ten at least, as proposals without results are random
            ones; for `"qmc"`, which learns nothing, any number.
        **kwargs: Passed to `SearchOracle`: `initial_points`, `time_limit`,
            `target`, and what `keras_tuner.Oracle` takes.

    Raises:
        ValueError: If an argument is out of range.
        ImportError: If a package that the sampler needs is missing.

    Reference:
        Bergstra et al. (2011), Algorithms for Hyper-Parameter Optimization,
        Section 4, for TPE. Akiba et al. (2019),
        https://arxiv.org/abs/1907.10902, for Optuna.
    """

    def __init__(
        self,
        objective=None,
        max_trials=10,
        seed=0,
        *,
        sampler="tpe",
        at_once=None,
        **kwargs,
    ):
        super().__init__(objective, max_trials, seed, **kwargs)
        if at_once is not None:
            check_integer(at_once, "at_once", type(self).__name__)
        _check_packages(sampler)
        self.sampler = sampler
        self.at_once = at_once
        # What samplers remember with a study and with its trials.
        self._of_study = {}
        self._of_trial = {}

    def propose(self, number, attempt):
        running = len(self.trials) - len(set(self.end_order))
        if running >= self._most_at_once():
            return None
        if attempt >= _ATTEMPTS_ASKED:
            return self.drawn(self.uniform(number, attempt))
        with _quiet():
            return self._ask(number, attempt)

    def get_state(self):
        remembered = {"study": self._of_study, "trials": self._of_trial}
        return {**super().get_state(), "optuna": remembered}

    def set_state(self, state):
        super().set_state(state)
        remembered = state.get("optuna", {"study": {}, "trials": {}})
        self._of_study = remembered["study"]
        self._of_trial = remembered["trials"]

    def _most_at_once(self):
        if self.at_once is not None:
            return self.at_once
        if self.sampler == "qmc":
            return math.inf
        return max(_AT_LEAST_AT_ONCE, len(self.ranked()))

    def _ask(self, number, attempt):
        import optuna

        # A study of its own for each trial, as it depends on nothing then but
        # what the files tell.
        storage = optuna.storages.InMemoryStorage()
        study_id = storage.create_new_study([self._direction()], _STUDY)
        for name, value in self._of_study.items():
            storage.set_study_system_attr(study_id, name, value)
        for trial_id in self.start_order:
            storage.create_new_trial(study_id, self._frozen(trial_id))
        study = optuna.load_study(
            study_name=_STUDY,
            storage=storage,
            sampler=self._sampler(number, attempt),
        )
        asked = study.ask()
        values = regions.fill(
            self.hyperparameters.space,
            lambda parameter: self._suggested(asked, parameter),
        )
        told = storage.get_all_trials(study_id)[-1]
        self._of_trial[str(number)] = told.system_attrs
        self._of_study = storage.get_study_system_attrs(study_id)
        return values

    def _direction(self):
        from optuna.study import StudyDirection

        if self.objective.direction == "max":
            return StudyDirection.MAXIMIZE
        return StudyDirection.MINIMIZE

    def _frozen(self, trial_id):
        """Returns a trial of keras-tuner as Optuna's."""
        from optuna.trial import TrialState, create_trial

        trial = self.trials[trial_id]
        values = trial.hyperparameters.values
        params, distributions = {}, {}
        for parameter in self.hyperparameters.space:
            scale = _scale(parameter)
            if scale and regions.is_active(parameter, values):
                name = self._name(parameter)
                params[name] = scale.encode(values[parameter.name])
                distributions[name] = scale.distribution
        state = _STATES.get(trial.status, "RUNNING")
        if state == "COMPLETE" and not math.isfinite(trial.score):
            state = "FAIL"
        return create_trial(
            state=TrialState[state],
            value=trial.score if state == "COMPLETE" else None,
            params=params,
            distributions=distributions,
            system_attrs=self._of_trial.get(str(int(trial_id)), {}),
        )

    def _suggested(self, asked, parameter):
        scale = _scale(parameter)
        if scale is None:
            return parameter.value
        return scale.decode(
            _suggest(asked, self._name(parameter), scale.distribution)
        )

    def _name(self, parameter):
        """Returns a name that no other hyperparameter of the space has."""
        same = [
            p for p in self.hyperparameters.space if p.name == parameter.name
        ]
        if len(same) == 1:
            return parameter.name
        return f"{parameter.name} {regions.key(parameter)}"

    def _sampler(self, number, attempt):
        from optuna import samplers

        sequence = np.random.SeedSequence([self.seed, number, attempt])
        seed = int(sequence.generate_state(1)[0])
        if self.sampler == "tpe":
            return samplers.TPESampler(seed=seed, constant_liar=True)
        if self.sampler == "cmaes":
            return samplers.CmaEsSampler(
                seed=seed, warn_independent_sampling=False
            )
        if self.sampler == "gp":
            return samplers.GPSampler(
                seed=seed, warn_independent_sampling=False
            )
        if self.sampler == "qmc":
            # One sequence for all trials.
            return samplers.QMCSampler(
                scramble=True,
                seed=self.seed % 2**32,
                independent_sampler=samplers.RandomSampler(seed=seed),
                warn_independent_sampling=False,
            )
        return self.sampler


@dataclasses.dataclass(frozen=True)
class _Scale:
    """How a hyperparameter goes to Optuna and comes back.

    Attributes:
        distribution: An `optuna.distributions.BaseDistribution`.
        encode: A function from its value to Optuna's.
        decode: The inverse.
    """

    distribution: object
    encode: object
    decode: object


def _scale(parameter):
    """Returns a `_Scale`, or `None` for what is fixed."""
    from optuna import distributions

    every = regions.categories(parameter)
    if type(parameter).__name__ == "Fixed":
        return None
    if every is not None and not getattr(parameter, "ordered", False):
        return _Scale(
            distributions.CategoricalDistribution(every),
            lambda value: regions.nearest(parameter, value),
            lambda value: value,
        )
    if every is None and parameter.step is None:
        return _range(parameter, distributions)
    every = every or regions.every_value(parameter)
    return _Scale(
        distributions.IntDistribution(0, len(every) - 1),
        lambda value: every.index(regions.nearest(parameter, value)),
        lambda index: every[index],
    )


def _suggest(asked, name, distribution):
    if hasattr(distribution, "choices"):
        return asked.suggest_categorical(name, distribution.choices)
    whole = type(distribution).__name__ == "IntDistribution"
    suggest = asked.suggest_int if whole else asked.suggest_float
    return suggest(
        name, distribution.low, distribution.high, log=distribution.log
    )


def _range(parameter, distributions):
    whole = type(parameter).__name__ == "Int"
    if parameter.sampling == "reverse_log":
        return _Scale(
            distributions.FloatDistribution(0.0, 1.0),
            lambda value: regions.position(parameter, value),
            lambda position: regions.value_at(parameter, position),
        )
    kind = "IntDistribution" if whole else "FloatDistribution"
    distribution = getattr(distributions, kind)(
        parameter.min_value,
        parameter.max_value,
        log=parameter.sampling == "log",
    )
    return _Scale(
        distribution,
        lambda value: regions.nearest(parameter, value),
        int if whole else float,
    )


@contextlib.contextmanager
def _quiet():
    """Keeps Optuna from telling of each study, and that samplers are new."""
    from optuna import exceptions, logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for category in (exceptions.ExperimentalWarning, UserWarning):
                warnings.filterwarnings("ignore", category=category)
            yield
    finally:
        logging.set_verbosity(verbosity)


def _check_packages(sampler):
    if not isinstance(sampler, str):
        needed = {"optuna": "optuna"}
    elif sampler in _SAMPLERS:
        needed = {"optuna": "optuna", **_SAMPLERS[sampler]}
    else:
        raise ValueError(
            f"`sampler` of OptunaOracle must be one of {sorted(_SAMPLERS)} or "
            f"an Optuna sampler. Received: sampler={sampler!r}"
        )
    missing = [
        name
        for module, name in needed.items()
        if importlib.util.find_spec(module) is None
    ]
    if missing:
        raise ImportError(
            f"The sampler {sampler!r} needs packages that are not installed: "
            f"`pip install {' '.join(missing)}`."
        )
