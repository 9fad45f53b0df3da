"""Requesting many trials at once from keras-tuner's own oracles."""

import keras_tuner
from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle

from tfcourse.tuning._keras_tuner import (
    GridHooks,
    Trial,
    TrialStatus,
    continue_grid_after,
    restore_grid,
)

_POINTS_TRIED = 20


def allow_parallel_grid(oracle: keras_tuner.Oracle) -> None:
    """Lets a grid hand out a trial before the one before has ended.

    keras-tuner's waits, because a trial may show hyperparameters that were not
    known; so `mark_built` is to be called when a trial's model has been built.
    """
    if isinstance(oracle, GridSearchOracle):
        own = type(oracle)
        oracle.__class__ = type(own.__name__, (_ParallelGrid, own), {})


def mark_built(oracle: keras_tuner.Oracle, trial: Trial) -> None:
    """Lets an oracle know that all hyperparameters of a trial are known."""
    if isinstance(oracle, _ParallelGrid):
        oracle.note_built(trial)


def batch_limit(oracle: keras_tuner.Oracle) -> int | None:
    """Returns how many trials to request from an oracle at once, at most.

    One that learns from results should have some first. Bayesian search begins
    with random points; after these as many are requested as it knows results
    of, as each beyond is a guess on a guess.

    Returns:
        The number, or None for any.
    """
    if not isinstance(oracle, BayesianOptimizationOracle):
        return None
    known = sum(
        trial.status == TrialStatus.COMPLETED
        for trial in oracle.trials.values()
    )
    first = oracle.num_initial_points
    first = first or max(3 * len(oracle.hyperparameters.space), 3)
    return first - known if known < first else known


def discover_hyperparameters(
    hypermodel: keras_tuner.HyperModel, oracle: keras_tuner.Oracle
) -> None:
    """Lets an oracle know the hyperparameters of what is hard to build.

    Points are drawn until one can be built. Raises the error of the last if
    none of them can.
    """
    for attempt in range(_POINTS_TRIED):
        hp = oracle.get_space()
        for parameter in hp.space:
            hp.values[parameter.name] = parameter.random_sample(attempt)
        hp.ensure_active_values()
        try:
            hypermodel.build(hp)
        except Exception:
            if attempt + 1 == _POINTS_TRIED:
                raise
        else:
            return
        finally:
            # What it registered before it raised is known, too.
            oracle.update_space(hp)


class _ParallelGrid(GridHooks):
    """A grid that is gone through in one order, and resumed where it ended.

    After a reload keras-tuner's has forgotten its place, and ends.
    """

    # The trials after which the grid has gone on.
    _built: frozenset[str] = frozenset()

    def note_built(self, trial: Trial) -> None:
        """Lets the grid go on after a trial."""
        self._built |= {trial.trial_id}
        continue_grid_after(self, trial.trial_id)

    def reload(self) -> None:
        super().reload()
        restore_grid(self)

    def end_trial(self, trial: Trial) -> None:
        if trial.trial_id in self._built:
            # Not the grid's, which would go on from this trial once more.
            keras_tuner.Oracle.end_trial(self, trial)
        else:
            super().end_trial(trial)
