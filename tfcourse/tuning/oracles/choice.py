"""The oracle of a search that is described in words."""

from typing import Any

import keras_tuner

from tfcourse.errors import InputError
from tfcourse.tuning.oracles.base import SearchOracle
from tfcourse.tuning.oracles.coarse_to_fine import CoarseToFineOracle
from tfcourse.tuning.oracles.optuna import OptunaOracle


def choose_oracle(
    objective: keras_tuner.Objective,
    trials: int,
    seed: int,
    *,
    rounds: int = 1,
    sampler: str | None = None,
    **kwargs: Any,
) -> SearchOracle:
    """Returns an oracle: coarse to fine, or one of Optuna's samplers.

    Args:
        objective: What a search goes by.
        trials: How many trials there are to be.
        seed: Of the draws.
        rounds: As for `CoarseToFineOracle`.
        sampler: As for `OptunaOracle`, in place of rounds.
        **kwargs: Passed to `SearchOracle`.

    Raises:
        InputError: If a package that the sampler needs is missing.
    """
    if sampler is None:
        return CoarseToFineOracle(
            objective, trials, seed, rounds=rounds, **kwargs
        )
    try:
        return OptunaOracle(objective, trials, seed, sampler=sampler, **kwargs)
    except ImportError as error:
        raise InputError(f"--sampler {sampler}: {error}") from None
