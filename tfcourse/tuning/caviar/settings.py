"""The settings of a `Caviar`: what they may be, and by default are."""

from collections.abc import Callable
from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.tuning.caviar.executors.interface import Executor
from tfcourse.tuning.oracles.random_search import RandomSearchOracle
from tfcourse.tuning.tuners.cross_validation import CrossValidated
from tfcourse.utils.validation import check_flag, check_integer

# Of `keras_tuner.RandomSearch`; they are the oracle's.
OF_ORACLE = (
    "hyperparameters",
    "tune_new_entries",
    "allow_new_entries",
    "max_retries_per_trial",
    "max_consecutive_failed_trials",
)


def check_settings(
    hypermodel: Any,
    population: int | None,
    on_trial: Any,
    early_stopping: Any,
    halving: Any,
    device: str | None,
) -> None:
    """Raises a `TypeError` or `ValueError` for a setting that cannot be.

    Args:
        hypermodel: As for `Caviar`, like all others.
        population: How many trials to ask for at once.
        on_trial: What is called after each trial.
        early_stopping: A patience, or Keras's callback.
        halving: A flag.
        device: The name of a device.
    """
    if population is not None:
        check_integer(population, "population", "Caviar")
    check_flag(halving, "halving", "Caviar")
    _check_hypermodel(hypermodel)
    if on_trial is not None and not callable(on_trial):
        raise TypeError(
            "`on_trial` of Caviar must be a function of the tuner and the "
            f"trial. Received: on_trial={on_trial!r}"
        )
    if early_stopping is not None and not isinstance(
        early_stopping, keras.callbacks.EarlyStopping
    ):
        check_integer(early_stopping, "early_stopping", "Caviar", least=0)
    _check_device(device)


def check_executor(executor: Any, ahead: Any) -> None:
    """Raises a `TypeError` or `ValueError` for what is none.

    Args:
        executor: As for `Caviar`.
        ahead: Likewise.
    """
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(
            "`executor` of Caviar must be one, such as `RayExecutor()`. "
            f"Received: executor={executor!r}"
        )
    if ahead is not None:
        check_integer(ahead, "ahead", "Caviar")


def _check_hypermodel(hypermodel: Any) -> None:
    is_space = isinstance(hypermodel, keras_tuner.HyperModel)
    builds = callable(hypermodel) and not isinstance(
        hypermodel, (keras.Model, keras_tuner.HyperParameters)
    )
    if hypermodel is not None and not (is_space or builds):
        raise TypeError(
            "`hypermodel` of Caviar must be a `keras_tuner.HyperModel`, or a "
            "function `build(hp)` that returns a compiled model. Received: "
            f"hypermodel={hypermodel!r}"
        )


def _check_device(device: str | None) -> None:
    if device is None:
        return
    kinds = ("cpu", "gpu", "tpu")
    kind, _, number = str(device).lower().partition(":")
    if kind not in kinds or not (number or "0").isdecimal():
        raise ValueError(
            "`device` of Caviar must be the name of a device such as 'cpu' or "
            f"'gpu:0'. Received: device={device!r}"
        )


def random_search(
    objective: str | keras_tuner.Objective | None,
    max_trials: int,
    seed: int | None,
    **kwargs,
) -> RandomSearchOracle:
    """Returns the oracle of a search that was given none."""
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    return RandomSearchOracle(objective, max_trials, seed, **kwargs)


def check_oracle(oracle: keras_tuner.Oracle) -> None:
    """Raises a `TypeError` unless it is an oracle."""
    if not isinstance(oracle, keras_tuner.Oracle):
        raise TypeError(
            "`oracle` of Caviar must be a `keras_tuner.Oracle`. Received: "
            f"oracle={oracle!r}"
        )


def check_folds_are_apart(
    hypermodel: keras_tuner.HyperModel | Callable | None,
    oracle: keras_tuner.Oracle,
) -> None:
    """Raises a `ValueError` for folds under a Hyperband oracle."""
    if isinstance(hypermodel, CrossValidated) and isinstance(
        oracle, keras_tuner.oracles.HyperbandOracle
    ):
        raise ValueError(
            "Cross-validation cannot be used with Hyperband, whose trials go "
            "on from weights that have seen the examples held out. Leave "
            f"`folds` out. Received: folds={hypermodel.folds}"
        )
