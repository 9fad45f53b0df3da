"""The exponentially weighted average of a number, an array or a series."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcourse.utils.validation import check_flag, check_number


def exponentially_weighted_average(
    theta: npt.ArrayLike, beta: float = 0.9, bias_correction: bool = True
) -> np.ndarray:
    r"""Returns the running average of a whole series in one call.

    With $v_0 = 0$ and $t = 1, 2, \dots$ along the first axis,

    $$v_t = \beta v_{t-1} + (1 - \beta) \theta_t, \qquad
      \hat v_t = v_t / (1 - \beta^t).$$

    `keras.optimizers` keep such averages of gradients and weights, but Keras
    offers none for other numbers, and the average of `use_ema=True` has no bias
    correction: it starts from the first weights, not from 0.

    Args:
        theta: $\theta$, array of shape `(t, ...)`, the oldest entry first.
        beta: $\beta$, share of the average kept at each step, in [0, 1).
        bias_correction: Whether to return $\hat v_t$ instead of $v_t$.

    Returns:
        Float64 array of the shape of `theta`, in its unit.

    Raises:
        ValueError: If `beta` lies outside [0, 1) or `theta` has no first axis.

    Example:

    >>> exponentially_weighted_average([4.0, 8.0], beta=0.5).round(2).tolist()
    [4.0, 6.67]

    Reference:
        Ng, "Improving Deep Neural Networks", week 2; the correction is that
        of Kingma and Ba (2015), Section 3, https://arxiv.org/abs/1412.6980.
    """
    # Here, because `scipy.signal` takes as long to import as all the rest.
    from scipy.signal import lfilter

    check_number(beta, "beta", "exponentially_weighted_average", "[0, 1)")
    beta = float(beta)
    theta = np.asarray(theta, "float64")
    if theta.ndim == 0:
        raise ValueError(
            "`theta` of exponentially_weighted_average must be a series, with "
            f"time as its first axis. Received: theta={theta}"
        )
    if len(theta) == 0:
        return theta
    v = lfilter([1 - beta], [1, -beta], theta, axis=0)
    if not bias_correction:
        return v
    t = np.arange(1, len(theta) + 1).reshape(-1, *[1] * (theta.ndim - 1))
    return v / total_weight(beta, t)


class ExponentiallyWeightedAverage:
    r"""Keeps the running average of a number or an array, one at a time.

    At the $t$-th update with $\theta_t$, from $v_0 = 0$,

    $$v_t = \beta v_{t-1} + (1 - \beta) \theta_t, \qquad
      \hat v_t = v_t / (1 - \beta^t),$$

    an average over about the last $1 / (1 - \beta)$ values: older ones weigh
    less than $1/e$ of the newest. Without the correction the first averages are
    far too small: at $\beta = 0.98$ and $t = 2$ by a factor of 0.0396. Keras
    has no such class.

    Args:
        beta: $\beta$, share of the average kept at each step, in [0, 1).
        bias_correction: Whether `value` is $\hat v_t$ instead of $v_t$.

    Raises:
        TypeError: If a setting is of the wrong kind.
        ValueError: If `beta` lies outside its interval.

    Example:

    >>> average = ExponentiallyWeightedAverage(beta=0.5)
    >>> [round(float(average.update(theta)), 2) for theta in (4.0, 8.0)]
    [4.0, 6.67]
    >>> average([4.0, 8.0]).round(2).tolist()
    [4.0, 6.67]
    >>> average.effective_window
    2.0

    Reference:
        Ng, "Improving Deep Neural Networks", week 2; the correction is that
        of Kingma and Ba (2015), Section 3, https://arxiv.org/abs/1412.6980.
    """

    def __init__(self, beta: float = 0.9, bias_correction: bool = True) -> None:
        check_settings(beta, bias_correction, type(self).__name__)
        self.beta = float(beta)
        self.bias_correction = bias_correction
        self.reset()

    def reset(self) -> None:
        """Forgets every value seen."""
        self.t = 0
        self.v = np.float64(0.0)

    def update(self, theta: npt.ArrayLike) -> Any:
        """Takes in the next value and returns the new average, in float64.

        The first value fixes the shape; a later one of another shape raises
        a `ValueError`.
        """
        theta = np.asarray(theta, "float64")
        if self.t and theta.shape != self.v.shape:
            raise ValueError(
                f"`theta` of {type(self).__name__} must keep its shape, "
                f"{self.v.shape}. Received: theta of shape {theta.shape}"
            )
        self.v = self.beta * self.v + (1 - self.beta) * theta
        self.t += 1
        return self.value

    @property
    def value(self) -> Any:
        r"""The current average: $\hat v_t$ with bias correction, else $v_t$."""
        if not self.bias_correction:
            return self.v
        if not self.t:
            raise ValueError(
                f"{type(self).__name__} has no value yet: with bias correction "
                "it is 0/0 before the first `update`."
            )
        return self.v / total_weight(self.beta, self.t)

    @property
    def effective_window(self) -> float:
        r"""About how many values the average covers, $1 / (1 - \beta)$."""
        return 1 / (1 - self.beta)

    def __call__(self, theta: npt.ArrayLike) -> np.ndarray:
        """Returns the averages of a whole series, as if it were the first.

        The same numbers as `update` gives for each entry of the first axis,
        but in one vectorised step, and without touching what is kept here.
        """
        return exponentially_weighted_average(
            theta, self.beta, self.bias_correction
        )

    def get_state(self) -> dict[str, Any]:
        """Returns what `set_state` needs to continue from here."""
        return {"t": self.t, "v": np.array(self.v)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continues from a state that `get_state` returned."""
        t, v = int(state["t"]), np.array(state["v"], "float64")
        if t < 0:
            raise ValueError(
                f"`t` in the state of {type(self).__name__} must be 0 or more. "
                f"Received: t={t}"
            )
        self.t, self.v = t, v[()]


def total_weight(beta: float, t: Any) -> Any:
    """Returns 1 − βᵗ, without its cancellation where β is close to 1."""
    if beta == 0:
        return np.ones_like(t, "float64")[()]
    return -np.expm1(t * math.log(beta))


def check_settings(beta: float, bias_correction: bool, owner: str) -> None:
    """Raises unless `owner` may have the settings of an average."""
    check_number(beta, "beta", owner, "[0, 1)")
    check_flag(bias_correction, "bias_correction", owner)
