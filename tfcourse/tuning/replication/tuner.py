"""A few points, each trained with several seeds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import Trial
from tfcourse.tuning.caviar.settings import random_search
from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.tuning.results.replication.replicates import (
    Replicates,
    read_replicates,
)
from tfcourse.tuning.tuners.cross_validation import folds_of
from tfcourse.utils.validation import check_integer

# Random search takes them for its own; here each follows from the points.
_NOT_FOR_IT = ("max_trials", "oracle", "executions_per_trial", "executor")


class Replication(Caviar):
    r"""Trains a few points of a search space with several seeds each.

    What one training reaches is partly luck: the initial weights and the order
    of the examples. The best of many trials had some of it. Trained again with
    other seeds, points can be compared by their means.

    The $n$-th seed is the same for all points, so that those of one structure
    begin with the same weights, and differences of scores can be taken seed by
    seed. All are trained as one program where that pays, as by `Caviar`.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        points: Dicts from hyperparameter to value, as of `best_points`. What a
            dict leaves out is drawn.
        objective: Name of the metric, or a `keras_tuner.Objective`.
        seeds: How many each is trained with. With `folds` it may be 1: each
            fold has a seed of its own.
        seed: An integer of 0 or more, from which the seeds are made, or `None`
            for any.
        folds: As for `Caviar`.
        **kwargs: Passed to `Caviar` (`early_stopping`, `device`, ...) or to
            `keras_tuner.Tuner` (`directory`, `project_name`, ...).

    Raises:
        ValueError: If `seeds` is too few.
        TypeError: If it is not a whole number.
        InputError: If there are no points, two are equal, or one is not in the
            search space; if an argument of `Caviar` is not for it.

    Example:

    >>> import tempfile
    >>> import keras
    >>> def build(hp):
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    ...     rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    ...     model.compile(keras.optimizers.SGD(rate), "mse")
    ...     return model
    >>> points = [{"learning_rate": 0.1}, {"learning_rate": 0.001}]
    >>> tuner = Replication(
    ...     build, points, "loss", seeds=4, directory=tempfile.mkdtemp()
    ... )
    >>> tuner.search(np.eye(3), np.ones((3, 1)), epochs=5, verbose=0)
    >>> best = tuner.replicates()[0]
    >>> best.hyperparameters, len(best.scores)
    ({'learning_rate': 0.1}, 4)

    Reference:
        Bouthillier et al. (2021), Accounting for Variance in Machine Learning
        Benchmarks, https://arxiv.org/abs/2103.03098.
    """

    def __init__(
        self,
        hypermodel: keras_tuner.HyperModel | Callable | None = None,
        points: Sequence[Mapping[str, Any]] = (),
        objective: str | keras_tuner.Objective | None = None,
        seeds: int = 5,
        *,
        seed: int | None = 0,
        folds: int | None = None,
        **kwargs,
    ) -> None:
        check_integer(seeds, "seeds", "Replication", least=1 if folds else 2)
        _check_points(points)
        for name in _NOT_FOR_IT:
            if name in kwargs:
                raise InputError(
                    f"`{name}` is not for Replication, which trains its "
                    "`points` with `seeds`. Leave it out."
                )
        super().__init__(
            hypermodel,
            oracle=random_search(
                objective, len(points), seed, initial_points=points
            ),
            population=len(points),
            folds=folds,
            executions_per_trial=seeds,
            **kwargs,
        )

    def replicates(self) -> list[Replicates]:
        """Returns the points with their scores, the best mean first.

        Those that have failed, as one of their trainings diverged, are left
        out.
        """
        direction = self.oracle.objective.direction
        return read_replicates(
            self.project_dir, direction, folds_of(self.hypermodel)
        )

    def seed_of(self, trial: Trial, execution: int = 0) -> int:
        seed = np.random.SeedSequence([self.oracle.seed, execution])
        return int(seed.generate_state(1)[0])


def _check_points(points: Sequence[Mapping[str, Any]]) -> None:
    if not points:
        raise InputError(
            "Replication needs `points` to train, such as what "
            "`best_points(tuner, 3)` returns. Received none."
        )
    for number, point in enumerate(points):
        if point in points[:number]:
            raise InputError(
                f"Replication was given the point {dict(point)} twice. Give "
                "it once, and more `seeds` to train it more often."
            )
