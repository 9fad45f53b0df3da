"""The loss of a run, step by step: what it was, and whether it went wrong."""

import math
from typing import Any

from tfcourse.averages import ExponentiallyWeightedAverage
from tfcourse.tuning.panda.recovery.guard import Guard

# Of float32.
_EPSILON = 2.0**-23


class LossMonitor:
    """Follows a loss, step by step.

    Args:
        guard: The `Guard`.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._average = ExponentiallyWeightedAverage(guard.beta)
        self._scale = ExponentiallyWeightedAverage(guard.beta)
        self._spikes = 0

    def trouble(self, loss: float, steps: int = 1) -> str | None:
        """Returns what is wrong, or `None`.

        Args:
            loss: Of the last steps, their mean.
            steps: How many they were.
        """
        if not math.isfinite(loss):
            return f"the loss was {loss}"
        if self._average.t and loss > self._limit():
            self._spikes += steps
            if self._spikes >= self._guard.steps:
                return (
                    f"the loss was {loss:.4g}, and for {self._guard.steps} "
                    f"steps above {self._limit():.4g}, as its average was "
                    f"{self._average.value:.4g}"
                )
            return None
        self._spikes = max(0, self._spikes - steps)
        self._average.update(loss)
        self._scale.update(abs(loss))
        return None

    def _limit(self) -> float:
        factor = self._guard.factor
        return float(self._average.value + (factor - 1) * self._scale.value)

    def get_state(self) -> dict[str, Any]:
        """Returns what `set_state` needs, for JSON."""
        return {
            "average": [self._average.t, float(self._average.v)],
            "scale": [self._scale.t, float(self._scale.v)],
            "spikes": self._spikes,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from a state that `get_state` gave."""
        for average, name in [
            (self._average, "average"),
            (self._scale, "scale"),
        ]:
            t, v = state[name]
            average.set_state({"t": t, "v": v})
        self._spikes = state["spikes"]


class BatchLoss:
    """The loss of the last batch, from the mean that Keras reports.

    `logs["loss"]` is the mean of the epoch so far; the mean of the batches
    since the last report follows from two of them. A last batch that is
    smaller than the others is then taken too close to the mean.

    Keras sums in float32: after a loss of a billion, one of ten is lost in the
    rounding of the mean. What is below that rounding is taken for it, so that
    a run that has jumped so far is not taken for one that has come back.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Starts a new mean."""
        self._mean = 0.0
        self.batches = 0

    def of(self, mean: float, new: int) -> float:
        """Returns the mean loss of the `new` batches that `mean` covers now."""
        before = self._mean * self.batches
        self.batches += new
        self._mean = mean
        loss = (mean * self.batches - before) / new
        rounding = 2 * _EPSILON * abs(mean) * self.batches / new
        return rounding if abs(loss) < rounding < math.inf else loss

    def get_state(self) -> list[Any]:
        """Returns what `set_state` needs, for JSON."""
        return [self._mean, self.batches]

    def set_state(self, state: list[Any]) -> None:
        """Goes on from a state that `get_state` gave."""
        self._mean, self.batches = state
