"""What the schedules share: epochs counted from steps, and the checks."""

from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.hyperparameter import current_values, hyperparameters_of
from tfcourse.utils.validation import check_integer


class BaseSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The abstract base: a subclass gives the `rate` of an epoch.

    Args:
        steps_per_epoch: Mini-batches to an epoch, positive. If `None`, steps
            are counted in place of epochs.
        name: Name of the schedule, and scope of its variables.
    """

    def __init__(
        self, steps_per_epoch: int | None = None, name: str | None = None
    ) -> None:
        if steps_per_epoch is not None:
            check_integer(
                steps_per_epoch, "steps_per_epoch", type(self).__name__
            )
        self.steps_per_epoch = steps_per_epoch
        self.name = name or type(self).__name__

    def rate(self, epoch_num: Any) -> Any:
        """Returns the learning rate in the epoch, a scalar tensor."""
        raise NotImplementedError

    hyperparameters = property(hyperparameters_of)

    def constants(self) -> dict[str, Any]:
        """Returns the hyperparameters as tensors, for the equation."""
        return {
            name: ops.convert_to_tensor(variable)
            for name, variable in self.hyperparameters.items()
        }

    def __call__(self, step: Any) -> Any:
        # Divided as integers: a float32 does not hold all numbers of steps.
        epoch_num = ops.floor_divide(step, self.steps_per_epoch or 1)
        return self.rate(ops.cast(epoch_num, keras.config.floatx()))

    def get_config(self) -> dict[str, Any]:
        return {
            **current_values(self),
            "steps_per_epoch": self.steps_per_epoch,
            "name": self.name,
        }


def check_epochs(epoch_num: Any, owner: str) -> None:
    """Raises unless all of `epoch_num`, if it has values yet, are 0 or more."""
    if ops.is_tensor(epoch_num):
        return
    epochs = np.asarray(epoch_num)
    message = (
        f"`epoch_num` of {owner} must be 0 or more. Received: "
        f"epoch_num={epoch_num!r}"
    )
    if epochs.dtype.kind not in "iuf":
        raise TypeError(message)
    if not (epochs >= 0).all():
        raise ValueError(message)


def check_constants(
    schedule: type[BaseSchedule], owner: str, **constants: Any
) -> None:
    """Raises, in the name of `owner`, unless a `schedule` may have them."""
    for name, value in constants.items():
        if not ops.is_tensor(value):
            getattr(schedule, name).check(value, owner)
