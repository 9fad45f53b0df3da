"""Another value of a hyperparameter, near the one it has or anywhere."""

import math
from typing import Any

import numpy as np

from tfcourse.tuning._keras_tuner import hyperparameters as kinds
from tfcourse.tuning.search_space import regions
from tfcourse.tuning.search_space.regions import Parameter, Region


def explored(
    parameter: Parameter,
    value: Any,
    perturb: float,
    resample: float,
    rng: np.random.Generator,
) -> Any:
    """Returns the value that a copy has in the place of its parent's.

    Args:
        parameter: The keras-tuner hyperparameter.
        value: The parent's value.
        perturb: How far a nudge goes, as a share of the range on its scale.
        resample: The chance that it is drawn anew instead.
        rng: What draws; always as often, whatever comes of it.
    """
    anew, uniform, up = rng.uniform(size=3).tolist()
    if anew < resample:
        return Region.whole(parameter).draw(parameter, uniform)
    return nudged(parameter, value, perturb if up < 0.5 else -perturb)


def nudged(parameter: Parameter, value: Any, by: float) -> Any:
    """Returns a value so far from another on the hyperparameter's scale.

    What would leave the range comes back from its end, as from a mirror. On a
    range of steps, or of whole numbers, it goes one step at least. Of choices
    that have an order the next one is taken, of others the same.

    Args:
        parameter: The keras-tuner hyperparameter.
        value: The value to begin at.
        by: The signed distance, a share of the range.
    """
    every = regions.categories(parameter)
    if every is not None:
        if len(every) < 2 or not getattr(parameter, "ordered", False):
            return value
        last = len(every) - 1
        index = every.index(regions.nearest(parameter, value))
        step = 1 if by > 0 else -1
        return every[round(_mirrored((index + step) / last) * last)]
    by = math.copysign(max(abs(by), _least(parameter)), by)
    return regions.value_at(
        parameter, _mirrored(regions.position(parameter, value) + by)
    )


def _mirrored(position: float) -> float:
    """Returns where in [0, 1] a position is, reflected at the ends."""
    position = abs(position)
    return position if position <= 1 else 2 - position


def _least(parameter: Any) -> float:
    """Returns by how far the values of a range are apart, if they are."""
    if parameter.step is None and not isinstance(parameter, kinds.Int):
        return 0.0
    if parameter.sampling != "linear":
        return 0.0
    return 1 / len(list(regions.every_value(parameter)))
