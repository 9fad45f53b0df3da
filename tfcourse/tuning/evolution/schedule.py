"""The hyperparameters of a member, epoch by epoch."""

import bisect
import dataclasses
from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.tuning.search_space.scales import complement_scale, to_display
from tfcourse.utils.notebook import Shown
from tfcourse.utils.validation import check_integer, unknown_name


@dataclasses.dataclass(frozen=True, repr=False)
class HyperparameterSchedule(Shown):
    """What a member of an `Evolution` was trained with, epoch by epoch.

    Attributes:
        trial_id: Of the trial whose initial weights it began with.
        starts: The epochs, from 0, before which hyperparameters were set.
        values: For each of them a dict from hyperparameter to value, under the
            names that keras-tuner has.
        epochs: How many epochs it was trained.
    """

    trial_id: str
    starts: tuple[int, ...]
    values: tuple[dict[str, Any], ...]
    epochs: int

    @property
    def names(self) -> list[str]:
        """The hyperparameters, as a person reads them: β, not 1 - β."""
        return [to_display(name, 0)[0] for name in self.values[0]]

    def at(self, epoch: int) -> dict[str, Any]:
        """Returns the values of an epoch, counted from 0.

        After the last epoch they stay as they were in it.
        """
        return self.values[max(bisect.bisect_right(self.starts, epoch) - 1, 0)]

    def of(self, name: str) -> list[Any]:
        """Returns the values of a hyperparameter, one for each epoch.

        Raises:
            InputError: If there is no such hyperparameter.
        """
        registered = self._registered(name)
        return [
            to_display(registered, self.at(epoch)[registered])[1]
            if registered != name
            else self.at(epoch)[name]
            for epoch in range(self.epochs)
        ]

    def to_keras(
        self, steps_per_epoch: int, name: str = "learning_rate"
    ) -> keras.optimizers.schedules.PiecewiseConstantDecay:
        """Returns the values of a hyperparameter as a schedule of Keras's.

        Args:
            steps_per_epoch: How many mini-batches an epoch has.
            name: Name of the hyperparameter.

        Raises:
            InputError: If there is no such hyperparameter.
        """
        check_integer(steps_per_epoch, "steps_per_epoch", "to_keras")
        values = self.of(name)
        changes = [
            epoch
            for epoch in range(1, self.epochs)
            if values[epoch] != values[epoch - 1]
        ]
        # Keras's needs a boundary, and takes the step there to the left of it.
        boundaries = [e * steps_per_epoch - 1 for e in changes or [self.epochs]]
        after = [values[epoch] for epoch in changes or [-1]]
        return keras.optimizers.schedules.PiecewiseConstantDecay(
            boundaries, [float(v) for v in (values[0], *after)]
        )

    def _registered(self, name: str) -> str:
        for known in (name, complement_scale(name)):
            if known in self.values[0]:
                return known
        raise InputError(unknown_name("hyperparameter", name, self.names))

    def __str__(self) -> str:
        count = len(self.starts)
        return (
            f"<HyperparameterSchedule: {', '.join(self.names)} over "
            f"{self.epochs} epochs in {count} part{'s'[: count > 1]}>"
        )

    def _as_table(self) -> Any:
        head = ("from epoch", *self.names)
        rows = [
            (
                str(start + 1),
                *(_shown(to_display(n, v)[1]) for n, v in values.items()),
            )
            for start, values in zip(self.starts, self.values, strict=True)
        ]
        return head, rows, str(self).strip("<>")


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
