"""A learning rate set by hand, constant from boundary to boundary."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.hyperparameter import Hyperparameter, current_value
from tfcourse.schedules.base import BaseSchedule, check_epochs
from tfcourse.utils.validation import check_number


def piecewise_constant_rate(
    epoch_num: Any,
    boundaries: Sequence[Any],
    values: Sequence[Any],
    where: Callable[[Any, Any, Any], Any],
) -> Any:
    r"""Returns $\alpha_i$ for $b_i \le e < b_{i+1}$.

    `where` is that of the library whose tensors or arrays are given.
    """
    rate = values[0]
    for boundary, value in zip(boundaries, values[1:], strict=True):
        rate = where(epoch_num >= boundary, value, rate)
    return rate


def piecewise_constant_decay(
    epoch_num: Any, boundaries: Sequence[float], values: Sequence[float]
) -> Any:
    """Returns the value of the interval that the epoch lies in.

    `values[0]` before the epoch `boundaries[0]` (at epoch 0, that is),
    `values[i]` from `boundaries[i - 1]` on.
    """
    check_epochs(epoch_num, "piecewise_constant_decay")
    check_boundaries_and_values(boundaries, values, "piecewise_constant_decay")
    index = np.searchsorted(boundaries, epoch_num, side="right")
    return np.asarray(values, "float64")[index]


@keras.saving.register_keras_serializable(package="tfcourse")
class PiecewiseConstantDecay(BaseSchedule):
    r"""Takes the learning rates that were set by hand.

    With $e$ the number of the epoch, boundaries $b_1 < \dots < b_k$ and values
    $\alpha_0, \dots, \alpha_k$, the learning rate is $\alpha_i$ for
    $b_i \le e < b_{i+1}$, and $\alpha_0$ before epoch $b_1$, so in epoch 0.

    A boundary is the first epoch with the new rate. In
    `keras.optimizers.schedules.PiecewiseConstantDecay` it is the last step
    with the old one: what begins here at step 100 begins there at 101.

    Args:
        boundaries: $b_1, \dots, b_k$, positive and rising, in epochs. Can be
            set during training, to as many.
        values: $\alpha_0, \dots, \alpha_k \ge 0$, one more than `boundaries`.
            Can be set during training, to as many.
        steps_per_epoch: Mini-batches to an epoch, positive. If `None`, steps
            are counted in place of epochs.
        name: Name of the schedule, and scope of its variables.

    Raises:
        TypeError: If a boundary or a value is not a number.
        ValueError: If one lies outside its interval, the boundaries do not
            rise, or there are not one more values than boundaries.

    Example:

    >>> schedule = PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])
    >>> [round(float(schedule(step)), 3) for step in (0, 9, 10, 20)]
    [0.1, 0.1, 0.01, 0.001]

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "Learning rate
        decay", on manual decay.
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        steps_per_epoch: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(steps_per_epoch, name)
        check_boundaries_and_values(boundaries, values, type(self).__name__)
        self._count = len(boundaries)
        self.boundaries = boundaries
        self.values = values

    @property
    def boundaries(self) -> list[keras.Variable]:
        """The first epochs of the new rates: scalar variables."""
        return [getattr(self, f"_boundary_{i}") for i in range(self._count)]

    @boundaries.setter
    def boundaries(self, boundaries: Sequence[float]) -> None:
        _check_rising(boundaries, type(self).__name__)
        _set_variables(self, "boundary", "(0, inf)", boundaries, self._count)

    @property
    def values(self) -> list[keras.Variable]:
        """The learning rates: scalar variables."""
        return [getattr(self, f"_value_{i}") for i in range(self._count + 1)]

    @values.setter
    def values(self, values: Sequence[float]) -> None:
        _set_variables(self, "value", "[0, inf)", values, self._count + 1)

    @property
    def hyperparameters(self) -> dict[str, keras.Variable]:
        """The boundaries and values, as `boundary_0`, ..., `value_0`, ..."""
        return {
            variable.name: variable
            for variable in [*self.boundaries, *self.values]
        }

    def rate(self, epoch_num: Any) -> Any:
        boundaries = [ops.convert_to_tensor(b) for b in self.boundaries]
        values = [ops.convert_to_tensor(value) for value in self.values]
        return piecewise_constant_rate(epoch_num, boundaries, values, ops.where)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "boundaries": [current_value(b) for b in self.boundaries],
            "values": [current_value(v) for v in self.values],
        }


def _set_variables(
    schedule: PiecewiseConstantDecay,
    name: str,
    interval: str,
    values: Sequence[float],
    count: int,
) -> None:
    """Sets the variables `name_0`, `name_1`, ... of `schedule`; makes them."""
    if len(values) != count:
        raise ValueError(
            f"{type(schedule).__name__} has {count} of `{name}`. Received: "
            f"{values}"
        )
    settings = [Hyperparameter(interval) for _ in values]
    for i, (setting, value) in enumerate(zip(settings, values, strict=True)):
        setting.__set_name__(type(schedule), f"{name}_{i}")
        setting.check(value, type(schedule).__name__)
    for setting, value in zip(settings, values, strict=True):
        setting.__set__(schedule, value)


def check_boundaries_and_values(
    boundaries: Sequence[float], values: Sequence[float], owner: str
) -> None:
    """Raises unless `owner` may have the boundaries with the values."""
    if len(values) != len(boundaries) + 1:
        raise ValueError(
            f"`values` of {owner} must have one more element than "
            f"`boundaries`. Received: boundaries={boundaries}, values={values}"
        )
    _check_rising(boundaries, owner)
    for i, boundary in enumerate(boundaries):
        check_number(boundary, f"boundary_{i}", owner, "(0, inf)")
    for i, value in enumerate(values):
        check_number(value, f"value_{i}", owner, "[0, inf)")


def _check_rising(boundaries: Sequence[float], owner: str) -> None:
    if any(a >= b for a, b in itertools.pairwise(boundaries)):
        raise ValueError(
            f"`boundaries` of {owner} must increase. Received: "
            f"boundaries={boundaries}"
        )
