"""Which trials may be trained together: those that are nothing but a `fit`."""

import dataclasses
import warnings

import keras
import keras_tuner

from tfcourse.tuning._keras_tuner import (
    build_config_path,
    build_model,
    checkpoint_path,
)
from tfcourse.tuning.caviar.fit_arguments import fit_arguments
from tfcourse.tuning.caviar.grouping import Candidate
from tfcourse.tuning.population import CannotVectorize, build_deferred
from tfcourse.utils.atomic_files import read_json

_HOOKS = ("on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end")
# What a Hyperband oracle sets: whose weights a trial begins with.
_GOES_ON_FROM = "tuner/trial_id"


def check_vectorizable(tuner, run_trial):
    """Raises `CannotVectorize` if a tuner's trials must be trained alone.

    Args:
        tuner: A `keras_tuner.Tuner`.
        run_trial: The method that knows how to train them together.
    """
    if type(tuner).run_trial is not run_trial:
        raise CannotVectorize("the tuner overrides `run_trial`")
    for hook in _HOOKS:
        if getattr(type(tuner), hook) is not getattr(keras_tuner.Tuner, hook):
            raise CannotVectorize(f"the tuner overrides `{hook}`")
    for name in ("distribution_strategy", "max_model_size"):
        if getattr(tuner, name) is not None:
            raise CannotVectorize(f"a `{name}` is given")
    if type(tuner.oracle.objective) is not keras_tuner.Objective:
        raise CannotVectorize("its objective is not one metric")


def make_candidate(trial, tuner, fit_args, fit_kwargs, early_stopping):
    """Returns a trial as a `Candidate`, with a draft of its model.

    Args:
        trial: The trial.
        tuner: A `SerialTuner`.
        fit_args: The positional arguments of the search.
        fit_kwargs: The other ones.
        early_stopping: As for `Population.fit`.

    Raises:
        CannotVectorize: If it must be trained alone.
    """
    hp = trial.hyperparameters

    def build():
        return build_model(tuner, hp)

    try:
        model = _draft(hp, build, tuner.seed_of(trial))
    except Exception as error:
        raise CannotVectorize(
            f"its model cannot be built: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(model, keras.Model) or not model.compiled:
        raise CannotVectorize("it is no compiled Keras model")
    arguments = fit_arguments(
        tuner.hypermodel,
        hp,
        fit_args,
        fit_kwargs | hyperband_epochs(hp),
        early_stopping,
    )
    return Candidate(trial, build, model, arguments)


def executions(candidate, tuner):
    """Returns a list of the candidate, and of those like it for the folds and
    executions of its trial that are left; the folds of one follow each other.
    """
    others = range(1, tuner.executions_per_trial * candidate.folds)
    hp = candidate.trial.hyperparameters
    return [candidate] + [
        dataclasses.replace(
            candidate,
            model=_draft(
                hp, candidate.build, tuner.seed_of(candidate.trial, n)
            ),
        )
        for n in others
    ]


def _draft(hp, build, seed):
    if _GOES_ON_FROM in hp.values:
        # A draft has no place for the weights of another trial.
        keras.utils.set_random_seed(seed)
        return build()
    return build_deferred(build, seed)


# Hyperband


def hyperband_epochs(hp):
    """Returns the epochs that a Hyperband oracle gives a trial."""
    if "tuner/epochs" not in hp.values:
        return {}
    return {
        "epochs": hp.values["tuner/epochs"],
        "initial_epoch": hp.values["tuner/initial_epoch"],
    }


def load_hyperband_weights(model, hp, tuner):
    """Loads those that the trial goes on from, if a Hyperband oracle says."""
    if _GOES_ON_FROM not in hp.values:
        return
    trial_id = hp.values[_GOES_ON_FROM]
    model.build_from_config(read_json(build_config_path(tuner, trial_id)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipping variable loading")
        model.load_weights(checkpoint_path(tuner, trial_id))
