"""Optuna's samplers, for any keras-tuner search."""

import contextlib
import importlib.util
import math
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras_tuner
import numpy as np

from tfcourse.tuning._keras_tuner import TrialStatus
from tfcourse.tuning.oracles.base import SearchOracle
from tfcourse.tuning.oracles.distributions import optuna_scale, suggest
from tfcourse.tuning.search_space import regions
from tfcourse.utils.validation import check_integer

if TYPE_CHECKING:
    import optuna

# What a sampler needs that Optuna does not bring, and pip's name of it.
_SAMPLERS = {
    "tpe": {},
    "cmaes": {"cmaes": "cmaes"},
    "gp": {"torch": "torch", "scipy": "scipy"},
    "qmc": {"scipy": "scipy"},
}
# Optuna's samplers begin with so many random trials.
_AT_LEAST_AT_ONCE = 10
# Proposals of a sampler before random ones.
_ATTEMPTS_SUGGESTED = 10
_STATES = {TrialStatus.COMPLETED: "COMPLETE", TrialStatus.FAILED: "FAIL"}
_STUDY = "search"


class OptunaOracle(SearchOracle):
    """Lets one of Optuna's samplers choose the trials.

    Each hyperparameter goes to the sampler on its own scale: log scales as
    such, whole numbers and ordered choices as whole numbers, and everything
    else as categories; a conditional one only where it applies. The sampler
    knows of running trials, and TPE counts them as bad ones (the "constant
    liar") so that it does not propose similar ones. It also knows which trials
    failed.

    The trials of a seed are the same whether or not a search was interrupted,
    as a sampler given by name is created anew for each trial, seeded with
    `seed` and the trial's number. A sampler given as an object has its own
    random state, which is lost when a search is resumed.

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
        objective: str | keras_tuner.Objective | None = None,
        max_trials: int = 10,
        seed: int = 0,
        *,
        sampler: "str | optuna.samplers.BaseSampler" = "tpe",
        at_once: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(objective, max_trials, seed, **kwargs)
        if at_once is not None:
            check_integer(at_once, "at_once", type(self).__name__)
        _check_packages(sampler)
        self.sampler = sampler
        self.at_once = at_once
        # What samplers remember with a study and with its trials.
        self._of_study = {}
        self._of_trial = {}

    def propose(self, number: int, attempt: int) -> dict[str, Any] | None:
        running = len(self.trials) - len(set(self.end_order))
        if running >= self._most_at_once():
            return None
        if attempt >= _ATTEMPTS_SUGGESTED:
            return self.drawn(self.uniform(number, attempt))
        with _quiet():
            return self._suggest_values(number, attempt)

    def get_state(self) -> dict[str, Any]:
        remembered = {"study": self._of_study, "trials": self._of_trial}
        return {**super().get_state(), "optuna": remembered}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        remembered = state.get("optuna", {"study": {}, "trials": {}})
        self._of_study = remembered["study"]
        self._of_trial = remembered["trials"]

    def _most_at_once(self) -> float:
        if self.at_once is not None:
            return self.at_once
        if self.sampler == "qmc":
            return math.inf
        return max(_AT_LEAST_AT_ONCE, len(self.ranked()))

    def _suggest_values(self, number: int, attempt: int) -> dict[str, Any]:
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
        trial = study.ask()
        values = regions.fill(
            self.hyperparameters.space,
            lambda parameter: self._suggested(trial, parameter),
        )
        stored = storage.get_all_trials(study_id)[-1]
        self._of_trial[str(number)] = stored.system_attrs
        self._of_study = storage.get_study_system_attrs(study_id)
        return values

    def _direction(self) -> "optuna.study.StudyDirection":
        from optuna.study import StudyDirection

        if self.objective.direction == "max":
            return StudyDirection.MAXIMIZE
        return StudyDirection.MINIMIZE

    def _frozen(self, trial_id: str) -> "optuna.trial.FrozenTrial":
        """Returns a trial of keras-tuner as Optuna's."""
        from optuna.trial import TrialState, create_trial

        trial = self.trials[trial_id]
        values = trial.hyperparameters.values
        params, distributions = {}, {}
        for parameter in self.hyperparameters.space:
            scale = optuna_scale(parameter)
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

    def _suggested(self, trial: "optuna.Trial", parameter: Any) -> Any:
        scale = optuna_scale(parameter)
        if scale is None:
            return parameter.value
        return scale.decode(
            suggest(trial, self._name(parameter), scale.distribution)
        )

    def _name(self, parameter: Any) -> str:
        """Returns a name that no other hyperparameter of the space has."""
        same = [
            p for p in self.hyperparameters.space if p.name == parameter.name
        ]
        if len(same) == 1:
            return parameter.name
        return f"{parameter.name} {regions.key(parameter)}"

    def _sampler(
        self, number: int, attempt: int
    ) -> "optuna.samplers.BaseSampler":
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


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Optuna from logging each study, and that samplers are new."""
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


def _check_packages(sampler: Any) -> None:
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
