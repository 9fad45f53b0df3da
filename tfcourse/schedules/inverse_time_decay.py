"""A learning rate that falls as one over the number of the epoch."""

from typing import Any

import keras

from tfcourse.hyperparameter import Hyperparameter
from tfcourse.schedules.base import (
    BaseSchedule,
    check_constants,
    check_epochs,
)


def inverse_time_rate(
    n: Any, initial_learning_rate: Any, decay_rate: Any
) -> Any:
    r"""Returns $\alpha_0 / (1 + d \cdot n)$."""
    return initial_learning_rate / (1 + decay_rate * n)


def inverse_time_decay(
    epoch_num: Any,
    initial_learning_rate: float,
    decay_rate: float,
    interval: float | None = None,
) -> Any:
    r"""Returns $\alpha_0 / (1 + d \cdot n)$, with $n$ the number of the epoch.

    With an `interval`, $n$ is $\lfloor \text{epoch} / \text{interval} \rfloor$:
    a staircase. At epoch 0 it is $\alpha_0$.

    >>> [round(inverse_time_decay(n, 0.2, 1.0), 3) for n in range(1, 5)]
    [0.1, 0.067, 0.05, 0.04]
    """
    owner = "inverse_time_decay"
    check_epochs(epoch_num, owner)
    check_constants(
        InverseTimeDecay,
        owner,
        initial_learning_rate=initial_learning_rate,
        decay_rate=decay_rate,
        interval=1 if interval is None else interval,
    )
    n = epoch_num if interval is None else epoch_num // interval
    return inverse_time_rate(n, initial_learning_rate, decay_rate)


@keras.saving.register_keras_serializable(package="tfcourse")
class InverseTimeDecay(BaseSchedule):
    r"""Lowers the learning rate as $1 / (1 + d \cdot n)$.

    With $\alpha_0$ the initial learning rate, $d$ the decay rate and $e$ the
    number of the epoch,

    $$\alpha = \frac{\alpha_0}{1 + d \cdot \lfloor e / i \rfloor}.$$

    In epoch 0, $\alpha = \alpha_0$. With an interval $i > 1$ it is the
    assignments' staircase.

    `keras.optimizers.schedules.InverseTimeDecay` divides the step by
    `decay_steps` without rounding, so that with as many steps to an epoch it
    has lost half of the first epoch's decay in the middle of it; with
    `staircase=True` it computes the same. Its constants are fixed once a step
    has been compiled.

    Args:
        initial_learning_rate: $\alpha_0 \ge 0$. Can be set during training.
        decay_rate: $d \ge 0$, per epoch. Can be set during training.
        interval: $i > 0$, in epochs. Can be set during training.
        steps_per_epoch: Mini-batches to an epoch, positive. If `None`, steps
            are counted in place of epochs.
        name: Name of the schedule, and scope of its variables.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument lies outside its interval.

    Example:

    >>> schedule = InverseTimeDecay(0.2, decay_rate=1.0, steps_per_epoch=100)
    >>> [round(float(schedule(step)), 3) for step in (0, 99, 100, 250)]
    [0.2, 0.2, 0.1, 0.067]

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "Learning rate
        decay".
    """

    initial_learning_rate = Hyperparameter("[0, inf)")
    decay_rate = Hyperparameter("[0, inf)")
    interval = Hyperparameter("(0, inf)")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_rate: float = 1.0,
        interval: float = 1,
        steps_per_epoch: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(steps_per_epoch, name)
        self.initial_learning_rate = initial_learning_rate
        self.decay_rate = decay_rate
        self.interval = interval

    def rate(self, epoch_num: Any) -> Any:
        constants = self.constants()
        n = epoch_num // constants.pop("interval")
        return inverse_time_rate(n, **constants)
