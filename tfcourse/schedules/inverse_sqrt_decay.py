"""A learning rate that falls as one over the root of the epoch or step."""

from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.hyperparameter import Hyperparameter
from tfcourse.schedules.base import (
    BaseSchedule,
    check_constants,
    check_epochs,
)


def inverse_sqrt_rate(n: Any, initial_learning_rate: Any, k: Any) -> Any:
    r"""Returns $k / \sqrt{n} \cdot \alpha_0$, for $n \ge 1$."""
    return k / n**0.5 * initial_learning_rate


def inverse_sqrt_decay(
    epoch_num: Any, initial_learning_rate: float, k: float = 1.0
) -> Any:
    r"""Returns $k / \sqrt{n} \cdot \alpha_0$, with $n$ the number of the epoch.

    Give the number of the mini-batch, from 1, for the course's $k / \sqrt{t}$.
    At epoch 0, where this has no value, it is that of epoch 1, $k \alpha_0$.
    """
    owner = "inverse_sqrt_decay"
    check_epochs(epoch_num, owner)
    check_constants(
        InverseSqrtDecay,
        owner,
        initial_learning_rate=initial_learning_rate,
        k=k,
    )
    return inverse_sqrt_rate(np.maximum(epoch_num, 1), initial_learning_rate, k)


@keras.saving.register_keras_serializable(package="tfcourse")
class InverseSqrtDecay(BaseSchedule):
    r"""Lowers the learning rate with the root of the epoch, or of the step.

    With $\alpha_0$ the initial learning rate and $e$ the number of the epoch,

    $$\alpha = \frac{k}{\sqrt{e}} \alpha_0;$$

    without `steps_per_epoch`, with $t = 1, 2, \dots$ the number of the
    mini-batch,

    $$\alpha = \frac{k}{\sqrt{t}} \alpha_0.$$

    In epoch 0, where the first has no value, $\alpha = k \alpha_0$ as in
    epoch 1. The first step of all, Keras's step 0, is $t = 1$. Keras has no
    such schedule.

    Args:
        initial_learning_rate: $\alpha_0 \ge 0$. Can be set during training.
        k: $k > 0$, the square root of an epoch's or a mini-batch's number. Can
            be set during training.
        steps_per_epoch: Mini-batches to an epoch, positive. If `None`, steps
            are counted in place of epochs.
        name: Name of the schedule, and scope of its variables.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument lies outside its interval.

    Example:

    >>> per_step = InverseSqrtDecay(0.2)
    >>> [round(float(per_step(step)), 3) for step in (0, 3)]
    [0.2, 0.1]
    >>> per_epoch = InverseSqrtDecay(0.2, steps_per_epoch=100)
    >>> [round(float(per_epoch(step)), 3) for step in (0, 100, 400)]
    [0.2, 0.2, 0.1]

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "Learning rate
        decay".
    """

    initial_learning_rate = Hyperparameter("[0, inf)")
    k = Hyperparameter("(0, inf)")

    def __init__(
        self,
        initial_learning_rate: float,
        k: float = 1.0,
        steps_per_epoch: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(steps_per_epoch, name)
        self.initial_learning_rate = initial_learning_rate
        self.k = k

    def rate(self, epoch_num: Any) -> Any:
        if self.steps_per_epoch is None:
            n = epoch_num + 1
        else:
            n = ops.maximum(epoch_num, 1)
        return inverse_sqrt_rate(n, **self.constants())
