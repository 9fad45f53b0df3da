"""The search of a run that evolves, and its winner's schedule."""

import contextlib
import io
import pathlib
import tempfile
from typing import Any

import keras_tuner

from tfcourse.runs.settings import Settings
from tfcourse.tuning.evolution.ancestry import Ancestry
from tfcourse.tuning.evolution.schedule import HyperparameterSchedule
from tfcourse.tuning.evolution.tuner import Evolution
from tfcourse.tuning.results.trials import TrialRecord
from tfcourse.tuning.search_space.held import Held
from tfcourse.tuning.search_space.scales import to_display

# Of tfcourse's own spaces those that are in variables of a model.
_EVOLVING = ("learning_rate", "beta", "decay_rate", "keep_prob", "lambda")


def holding_sizes(space: keras_tuner.HyperModel) -> keras_tuner.HyperModel:
    """Returns one of our own spaces in which only what can evolve is searched.

    All else has its default.

    Args:
        space: What `load_space` returns.
    """
    hp = keras_tuner.HyperParameters()
    space.build(hp)
    return Held(
        space,
        {
            parameter.name: parameter.default
            for parameter in hp.space
            if to_display(parameter.name, 0)[0] not in _EVOLVING
        },
    )


def evolution(
    settings: Settings, space: keras_tuner.HyperModel, **kwargs: Any
) -> Evolution:
    """Returns the tuner of a run.

    Args:
        settings: Those of the run.
        space: The search space.
        **kwargs: Passed to `Evolution`.
    """
    # keras-tuner prints that it reloads.
    with contextlib.redirect_stdout(io.StringIO()):
        return Evolution(
            space,
            population=settings.population,
            interval=settings.interval,
            quantile=settings.quantile,
            seed=settings.seed,
            **kwargs,
        )


def check_evolves(
    settings: Settings,
    space: keras_tuner.HyperModel,
    objective: keras_tuner.Objective,
    fit: dict[str, Any],
) -> None:
    """Tries whether the hyperparameters of a space can evolve.

    Args:
        settings: Those of the run.
        space: The search space.
        objective: What the search goes by.
        fit: What `search` will be called with.

    Raises:
        InputError: If one cannot.
    """
    with tempfile.TemporaryDirectory() as folder:
        evolution(settings, space, objective=objective, directory=folder).check(
            **fit
        )


def winners_schedule(
    project: pathlib.Path, best: TrialRecord
) -> HyperparameterSchedule | None:
    """Returns what the weights of the best were trained with, if that is known.

    Args:
        project: The folder of the search.
        best: The best trial.
    """
    try:
        ancestry = Ancestry.read(str(project))
        return ancestry.schedule(best.trial, best.best_epoch)
    except (OSError, ValueError):
        return None
