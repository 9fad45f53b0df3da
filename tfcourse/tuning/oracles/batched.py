"""What keras-tuner's own oracles need, to be asked for many trials at once."""

import keras_tuner
from keras_tuner.engine.trial import TrialStatus
from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle

from tfcourse.tuning.results.trials import trial_order

PRIVATE_NAMES_OF_GRID = ("_ordered_ids", "_populate_next")
_POINTS_TRIED = 20


def allow_parallel_grid(oracle):
    """Lets a grid be asked for a trial before the one before has ended.

    keras-tuner's waits, because a trial may show hyperparameters that were not
    known; so `built` is to be called when a trial's model has been built.
    """
    if isinstance(oracle, GridSearchOracle):
        own = type(oracle)
        oracle.__class__ = type(own.__name__, (_GridAhead, own), {})


def built(oracle, trial):
    """Tells an oracle that all hyperparameters of a trial are known."""
    if isinstance(oracle, _GridAhead):
        oracle._populate_next.append(trial.trial_id)


def most_at_once(oracle):
    """Returns how many trials an oracle should be asked for, or None.

    One that learns from results should have some first. Bayesian search begins
    with random points; after these it is asked for as many as it knows
    results of, as each that it is asked for beyond is a guess on a guess.
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


def discover_hyperparameters(hypermodel, oracle):
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
            # What it asked for before it raised is known, too.
            oracle.update_space(hp)


class _GridAhead:
    """A grid that is gone through in one order, and resumed where it ended.

    After a reload keras-tuner's has forgotten its place, and ends.
    """

    def reload(self):
        super().reload()
        started = sorted(self.trials, key=trial_order)
        for trial_id in started:
            self._ordered_ids.insert(trial_id)
        self._populate_next = started[-1:]

    def end_trial(self, trial):
        # Not the grid's, which would go on from this trial once more.
        keras_tuner.Oracle.end_trial(self, trial)
