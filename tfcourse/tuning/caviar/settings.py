"""The settings of a `Caviar`: what they may be, and by default are."""

from collections.abc import Callable

import keras_tuner
import numpy as np

from tfcourse.tuning.oracles.random_search import RandomSearchOracle
from tfcourse.tuning.tuners.cross_validation import CrossValidated

# Of `keras_tuner.RandomSearch`; they are the oracle's.
OF_ORACLE = (
    "hyperparameters",
    "tune_new_entries",
    "allow_new_entries",
    "max_retries_per_trial",
    "max_consecutive_failed_trials",
)


def check_population(population: int) -> None:
    """Raises a `ValueError` unless it is an integer of 1 or more."""
    if not isinstance(population, int) or population < 1:
        raise ValueError(
            "`population` of Caviar must be an integer of 1 or more. "
            f"Received: population={population!r}"
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
