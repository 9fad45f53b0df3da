"""Which epoch of a trial is its best, and which of its executions."""

import math
from collections.abc import Sequence
from typing import Any

import keras_tuner
import numpy as np


class TieBreaking:
    """An objective by which `SaveBestEpoch` of keras-tuner tells equals apart.

    Its values are pairs: of the objective, and of what decides among equals.

    Args:
        objective: The `keras_tuner.Objective`.
        break_ties_by: As for `SerialTuner`.
    """

    def __init__(
        self, objective: Any, break_ties_by: Sequence[str] = ()
    ) -> None:
        self._objective = objective
        self._break_ties_by = break_ties_by

    def has_value(self, logs: dict[str, Any]) -> bool:
        return self._objective.has_value(logs)

    def get_value(self, logs: dict[str, Any]) -> tuple[float, float]:
        name = _first_known(self._break_ties_by, logs)
        tie = _known(None if name is None else logs[name])
        return self._objective.get_value(logs), tie

    def better_than(
        self, a: tuple[float, float], b: tuple[float, float] | float
    ) -> bool:
        # `SaveBestEpoch` begins with an infinite number.
        best, least = b if isinstance(b, tuple) else (b, math.inf)
        value, tie = a
        if value == best:
            return tie < least
        return self._objective.better_than(value, best)


def best_epoch(
    curve: dict[str, Any],
    objective: keras_tuner.Objective,
    break_ties_by: Sequence[str] = (),
) -> int | None:
    """Returns the best epoch of a curve, from 0; None if it does not show it.

    Args:
        curve: A dict from metric to its values, one an epoch.
        objective: The `keras_tuner.Objective`.
        break_ties_by: As for `SerialTuner`.
    """
    epochs = _equals(curve, objective)
    return min(epochs, key=_tie_of(curve, break_ties_by), default=None)


def best_execution(
    curves: list[dict[str, Any]],
    objective: keras_tuner.Objective,
    break_ties_by: Sequence[str] = (),
) -> int:
    """Returns the number of the curve with the best epoch, whose weights are
    kept: the first one if the curves do not show it.

    Args:
        curves: A list of dicts from metric to its values, one an epoch.
        objective: A `keras_tuner.Objective`.
        break_ties_by: As for `SerialTuner`.
    """
    sign = 1 if objective.direction == "max" else -1

    def best(n: int) -> tuple[float, float]:
        epoch = best_epoch(curves[n], objective, break_ties_by)
        if epoch is None:
            return -math.inf, -math.inf
        value = sign * curves[n][objective.name][epoch]
        return value, -_tie_of(curves[n], break_ties_by)(epoch)

    return max(range(len(curves)), key=best)


def _equals(curve, objective):
    """Returns the epochs in which a curve has its best value."""
    sign = 1 if objective.direction == "max" else -1
    values = sign * np.array(curve.get(objective.name, []), float)
    if np.isnan(values).all():
        return []
    return np.flatnonzero(values == np.nanmax(values)).tolist()


def _tie_of(curve, names):
    """Returns the function from an epoch to what decides among equals."""
    name = _first_known(names, curve)
    values = [] if name is None else curve[name]
    return lambda epoch: _known(values[epoch] if epoch < len(values) else None)


def _first_known(names, logs):
    return next((name for name in names if name in logs), None)


def _known(value):
    return math.inf if value is None or math.isnan(value) else float(value)
