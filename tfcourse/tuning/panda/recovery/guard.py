"""When has a run gone wrong?"""

import dataclasses
import math

from tfcourse.averages import ExponentiallyWeightedAverage
from tfcourse.utils.validation import check_number

# Of float32.
_EPSILON = 2.0**-23


@dataclasses.dataclass(frozen=True)
class Guard:
    r"""What counts as a run gone wrong, and what is done about it.

    With $\ell_t$ the loss of step $t$, $\hat v_t$ its exponentially weighted
    average and $\hat s_t$ that of $|\ell_t|$, step $t$ is a spike if

    $$\ell_t > \hat v_{t-1} + (\text{factor} - 1) \, \hat s_{t-1},$$

    which is $\text{factor} \cdot \hat v_{t-1}$ where losses are positive. A
    spike does not enter the averages. With $c_0 = 0$, a spike adds 1 to $c$,
    and any other step takes 1 from it down to 0. The run has gone wrong at
    $c = \text{steps}$, after that many spikes in a row at the soonest; and at
    once when a loss or a weight is not finite.

    `keras.callbacks.TerminateOnNaN` sees the last kind only, and ends the run.

    Args:
        factor: How many times its average a loss must be, in (1, inf).
        steps: How many more spikes than other steps, a whole number in
            [1, inf).
        beta: $\beta$, share of the averages kept at each step, in [0, 1).
        learning_rate_factor: By what the learning rate is multiplied after
            going back, in (0, 1].
        rollbacks: After how many the run ends, in [0, inf).

    Raises:
        ValueError: If a setting lies outside its interval.
        TypeError: If one is no number.
    """

    factor: float = 4.0
    steps: int = 20
    beta: float = 0.98
    learning_rate_factor: float = 0.5
    rollbacks: int = 5

    def __post_init__(self):
        for name, interval in [
            ("factor", "(1, inf)"),
            ("steps", "[1, inf)"),
            ("beta", "[0, 1)"),
            ("learning_rate_factor", "(0, 1]"),
            ("rollbacks", "[0, inf)"),
        ]:
            check_number(getattr(self, name), name, "Guard", interval)


class LossMonitor:
    """Follows a loss, step by step.

    Args:
        guard: The `Guard`.
    """

    def __init__(self, guard):
        self._guard = guard
        self._average = ExponentiallyWeightedAverage(guard.beta)
        self._scale = ExponentiallyWeightedAverage(guard.beta)
        self._spikes = 0

    def trouble(self, loss, steps=1):
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

    def _limit(self):
        factor = self._guard.factor
        return self._average.value + (factor - 1) * self._scale.value

    def get_state(self):
        """Returns what `set_state` needs, for JSON."""
        return {
            "average": [self._average.t, float(self._average.v)],
            "scale": [self._scale.t, float(self._scale.v)],
            "spikes": self._spikes,
        }

    def set_state(self, state):
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

    def __init__(self):
        self.reset()

    def reset(self):
        """Starts a new mean."""
        self._mean = 0.0
        self.batches = 0

    def of(self, mean, new):
        """Returns the mean loss of the `new` batches that `mean` covers now."""
        before = self._mean * self.batches
        self.batches += new
        self._mean = mean
        loss = (mean * self.batches - before) / new
        rounding = 2 * _EPSILON * abs(mean) * self.batches / new
        return rounding if abs(loss) < rounding < math.inf else loss

    def get_state(self):
        return [self._mean, self.batches]

    def set_state(self, state):
        self._mean, self.batches = state
