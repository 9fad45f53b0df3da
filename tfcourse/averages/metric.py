"""A callback that averages a metric over the epochs."""

import warnings
from typing import Any

import keras

from tfcourse.averages.exponential import (
    ExponentiallyWeightedAverage,
    check_settings,
)


class MetricAverage(keras.callbacks.Callback):
    r"""Adds the running average of a metric to the logs of each epoch.

    After each epoch `logs["<monitor>_average"]` is the exponentially weighted
    average of `logs[monitor]` over the epochs so far, so that the history, an
    `EarlyStopping` or a `ModelCheckpoint` placed after this callback can follow
    a smoothed curve.

    Args:
        monitor: Name of a metric in the logs, e.g. `"val_loss"`.
        beta: $\beta$, share of the average kept at each epoch, in [0, 1).
        bias_correction: Whether to divide by $1 - \beta^t$.

    Raises:
        TypeError: If a setting is of the wrong kind.
        ValueError: If `beta` lies outside its interval.

    Example:

    ```python
    model.fit(
        x,
        y,
        validation_split=0.2,
        epochs=50,
        callbacks=[
            MetricAverage("val_loss"),
            keras.callbacks.EarlyStopping("val_loss_average"),
        ],
    )
    ```
    """

    def __init__(
        self,
        monitor: str = "loss",
        beta: float = 0.9,
        bias_correction: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(monitor, str) or not monitor:
            raise TypeError(
                "`monitor` of MetricAverage must be the name of a metric. "
                f"Received: monitor={monitor!r}"
            )
        check_settings(beta, bias_correction, type(self).__name__)
        self.monitor = monitor
        self.average = ExponentiallyWeightedAverage(beta, bias_correction)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if logs is None:
            return
        if self.monitor not in logs:
            warnings.warn(
                f"MetricAverage has no `{self.monitor}` to average. "
                f"Available metrics: {', '.join(logs)}",
                stacklevel=2,
            )
            return
        value = self.average.update(logs[self.monitor])
        logs[f"{self.monitor}_average"] = float(value)

    def get_state(self) -> dict[str, Any]:
        """Returns what `set_state` needs to continue from here."""
        return self.average.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Continues from a state that `get_state` returned."""
        self.average.set_state(state)
