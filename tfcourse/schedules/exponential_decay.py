"""A learning rate that is multiplied by the same number every epoch."""

from typing import Any

import keras

from tfcourse.hyperparameter import Hyperparameter
from tfcourse.schedules.base import (
    BaseSchedule,
    check_constants,
    check_epochs,
)


def exponential_rate(n: Any, initial_learning_rate: Any, base: Any) -> Any:
    r"""Returns $b^n \alpha_0$."""
    return base**n * initial_learning_rate


def exponential_decay(
    epoch_num: Any,
    initial_learning_rate: float,
    base: float = 0.95,
    interval: float | None = None,
) -> Any:
    r"""Returns $b^n \alpha_0$, with $n$ the number of the epoch.

    With an `interval`, $n$ is $\lfloor \text{epoch} / \text{interval} \rfloor$:
    with a base of 0.5, the rate is halved every `interval` epochs. At epoch 0
    it is $\alpha_0$.
    """
    owner = "exponential_decay"
    check_epochs(epoch_num, owner)
    check_constants(
        ExponentialDecay,
        owner,
        initial_learning_rate=initial_learning_rate,
        base=base,
        interval=1 if interval is None else interval,
    )
    n = epoch_num if interval is None else epoch_num // interval
    return exponential_rate(n, initial_learning_rate, base)


@keras.saving.register_keras_serializable(package="tfcourse")
class ExponentialDecay(BaseSchedule):
    r"""Multiplies the learning rate by the same number every epoch.

    With $\alpha_0$ the initial learning rate, $b$ the base and $e$ the number
    of the epoch,

    $$\alpha = b^{\lfloor e / i \rfloor} \alpha_0.$$

    In epoch 0, $\alpha = \alpha_0$. With a base of 0.5 and an interval $i$ it
    is halved every $i$ epochs.

    `keras.optimizers.schedules.ExponentialDecay` with `decay_rate=b`, as many
    `decay_steps` as there are in $i$ epochs and `staircase=True` computes the
    same; without, it has gone half the way to the next epoch's rate, down to
    0.975 of this epoch's, in the middle of an epoch. Its constants are fixed
    once a step has been compiled.

    Args:
        initial_learning_rate: $\alpha_0 \ge 0$. Can be set during training.
        base: $b$, in (0, 1]. Can be set during training.
        interval: $i > 0$, in epochs. Can be set during training.
        steps_per_epoch: Mini-batches to an epoch, positive. If `None`, steps
            are counted in place of epochs.
        name: Name of the schedule, and scope of its variables.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument lies outside its interval.

    Example:

    >>> schedule = ExponentialDecay(0.2, base=0.5, steps_per_epoch=100)
    >>> [round(float(schedule(step)), 3) for step in (0, 99, 100, 250)]
    [0.2, 0.2, 0.1, 0.05]

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "Learning rate
        decay".
    """

    initial_learning_rate = Hyperparameter("[0, inf)")
    base = Hyperparameter("(0, 1]")
    interval = Hyperparameter("(0, inf)")

    def __init__(
        self,
        initial_learning_rate: float,
        base: float = 0.95,
        interval: float = 1,
        steps_per_epoch: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(steps_per_epoch, name)
        self.initial_learning_rate = initial_learning_rate
        self.base = base
        self.interval = interval

    def rate(self, epoch_num: Any) -> Any:
        constants = self.constants()
        n = epoch_num // constants.pop("interval")
        return exponential_rate(n, **constants)
