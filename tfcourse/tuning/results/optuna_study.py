"""The trials of a search as an Optuna study."""

import datetime
import math
import warnings
from typing import TYPE_CHECKING, Any

from tfcourse.tuning.results.search_results import Source, read_results

if TYPE_CHECKING:
    import optuna


def to_optuna(source: Source) -> "optuna.Study":
    r"""Returns the trials of a search as an Optuna study, in memory.

    Each hyperparameter has the distribution that it was drawn from, with its
    scale. A $\beta$ on the scale of $1 - \beta$, which Optuna does not have, is
    the parameter `"1 - beta"` on a log scale. The user attributes of a trial
    hold its hyperparameters as a person reads them (`"hyperparameters"`, with
    $\beta$ itself), its id, seconds, best epoch, and why it failed; its
    intermediate values are the objective after each epoch. It knows when each
    began and ended, and its metric by the name of the objective. Trials that
    have not ended are left out.

    Args:
        source: As for `trials_frame`, or `SearchResults`.

    Returns:
        An `optuna.Study`.

    Raises:
        InputError: As for `trials_frame`.
    """
    import optuna

    results = read_results(source)
    study = quiet_study(
        "maximize" if results.direction == "max" else "minimize",
        results.name,
    )
    ended = [r for r in results.records if r.status != "unfinished"]
    scored = {record.trial for record in results.best}
    distributions = {
        axis.registered: _distribution(optuna, axis, ended)
        for axis in results.axes
    }
    for record in ended:
        completed = record.trial in scored
        study.add_trial(
            _frozen(optuna, record, completed, distributions, results.objective)
        )
    with warnings.catch_warnings():
        # Of an interface that Optuna calls experimental.
        warnings.simplefilter("ignore")
        study.set_metric_names([results.objective])
    return study


def _frozen(optuna, record, completed, distributions, objective):
    """Returns a trial with its times, which `create_trial` does not take."""
    params = {
        name: value
        for name, value in record.registered.items()
        if name in distributions
    }
    complete = datetime.datetime.fromtimestamp(record.ended)
    start = complete - datetime.timedelta(seconds=record.seconds or 0)
    states = optuna.trial.TrialState
    return optuna.trial.FrozenTrial(
        number=-1,  # The study numbers them.
        trial_id=-1,
        state=states.COMPLETE if completed else states.FAIL,
        value=record.score if completed else None,
        datetime_start=start,
        datetime_complete=complete,
        params=params,
        distributions={name: distributions[name] for name in params},
        user_attrs=_readable(record),
        system_attrs={},
        intermediate_values=dict(
            enumerate(record.curves.get(objective, ()), 1)
        ),
    )


def _readable(record):
    """Returns what a person reads of a trial."""
    return {
        "trial": record.trial,
        "hyperparameters": record.hyperparameters,
        "seconds": record.seconds,
        "best_epoch": record.best_epoch,
        "message": record.message,
    }


def quiet_study(direction: Any, name: str | None = None) -> "optuna.Study":
    """Returns a new study in memory, of which Optuna logs nothing."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(study_name=name, direction=direction)
    finally:
        optuna.logging.set_verbosity(before)


def _distribution(optuna, axis, records):
    drawn = [
        record.registered[axis.registered]
        for record in records
        if axis.registered in record.registered
    ]
    if axis.kind == "category":
        values = dict.fromkeys([*axis.values, *drawn])
        return optuna.distributions.CategoricalDistribution(tuple(values))
    bounds = [axis.low, axis.high]
    if axis.kind == "one_minus_log":
        bounds = [round(1 - bound, 15) for bound in bounds]
    # A point that was given by hand may lie outside.
    low, high = min([*bounds, *drawn]), max([*bounds, *drawn])
    log = axis.kind != "linear"
    step = None if log else _step(axis, low, drawn)
    if step is not None:
        # Optuna warns of an upper bound that is not on the grid.
        steps = math.floor((high - low) / step + 1e-6)
        high = round(low + steps * step, 12)
    if axis.integer:
        return optuna.distributions.IntDistribution(low, high, log, step or 1)
    return optuna.distributions.FloatDistribution(low, high, log, step)


def _step(axis, low, drawn):
    """Returns the step of a grid, unless a point given by hand is off it."""
    if axis.step is None:
        return None
    steps = [(value - low) / axis.step for value in drawn]
    on_grid = all(abs(step - round(step)) < 1e-6 for step in steps)
    return axis.step if on_grid else None
