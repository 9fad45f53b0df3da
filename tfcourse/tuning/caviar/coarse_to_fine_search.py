"""Coarse-to-fine search with trials that train as one program."""

import inspect
from collections.abc import Callable

import keras_tuner
import numpy as np

from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.tuning.oracles.base import SearchOracle
from tfcourse.tuning.oracles.coarse_to_fine import CoarseToFineOracle


class CoarseToFineSearch(Caviar):
    r"""Tries hyperparameters at random, then again where the best ones were.

    Use it in place of `keras_tuner.RandomSearch`. A `CoarseToFineOracle` draws
    the trials, in rounds; the trials of a round train together, as `Caviar`
    does it.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        objective: Name of the metric, or a `keras_tuner.Objective`.
        max_trials: How many trials to draw, at most.
        seed: An integer of 0 or more, or `None` for any.
        keep_models: How many of the best models to keep the weights of; all by
            default. Records and learning curves of all trials are kept.
        **kwargs: Passed to `CoarseToFineOracle` (`rounds`, `trials_per_round`,
            `shrink`, `best`, `margin`, `explore`, `least_width`,
            `initial_points`, `time_limit`, `target`), to `Caviar`
            (`population`, `folds`, `early_stopping`, `halving`, ...) or to
            `keras_tuner.Tuner` (`directory`, `project_name`, ...).

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument is out of range.
        InputError: If an initial point does not lie in the search space.

    Example:

    >>> import tempfile
    >>> def build(hp):
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    ...     rate = log_uniform(hp, "learning_rate", 1e-4, 1e-1)
    ...     model.compile(keras.optimizers.SGD(rate), "mse")
    ...     return model
    >>> x, y = np.eye(3), np.ones((3, 1))
    >>> tuner = CoarseToFineSearch(
    ...     build, "loss", 8, rounds=2, directory=tempfile.mkdtemp()
    ... )
    >>> tuner.search(x, y, epochs=2, verbose=0)
    >>> [len(r["trials"]) for r in read_rounds(tuner.project_dir)]
    [3, 5]

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Tuning process.
    """

    def __init__(
        self,
        hypermodel: keras_tuner.HyperModel | Callable | None = None,
        objective: str | keras_tuner.Objective | None = None,
        max_trials: int = 40,
        seed: int | None = 0,
        *,
        keep_models: int | None = None,
        **kwargs,
    ) -> None:
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        own = {name: kwargs.pop(name) for name in _OF_ORACLE & set(kwargs)}
        oracle = CoarseToFineOracle(objective, max_trials, seed, **own)
        super().__init__(
            hypermodel, oracle=oracle, keep_models=keep_models, **kwargs
        )
        # Here rather than in the first trial, as the space is known now.
        oracle.check_initial_points()


def _arguments(function: Callable) -> set[str]:
    kinds = inspect.signature(function).parameters.values()
    return {p.name for p in kinds if p.kind == p.KEYWORD_ONLY}


_OF_KERAS_ORACLE = {
    "hyperparameters",
    "tune_new_entries",
    "allow_new_entries",
    "max_retries_per_trial",
    "max_consecutive_failed_trials",
}
_OF_ORACLE = (
    _arguments(CoarseToFineOracle.__init__)
    | _arguments(SearchOracle.__init__)
    | _OF_KERAS_ORACLE
)
