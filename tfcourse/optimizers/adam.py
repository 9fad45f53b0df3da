"""Adam, with epsilon in either of the places that the course gave it."""

from typing import Any

import keras
from keras import ops

from tfcourse.hyperparameter import Hyperparameter
from tfcourse.optimizers.base import BaseOptimizer
from tfcourse.optimizers.moving_average import bias_correction, moving_average
from tfcourse.utils.validation import check_flag


def adam_step(
    g: Any,
    m: Any,
    v: Any,
    t: Any,
    learning_rate: Any,
    beta_1: Any,
    beta_2: Any,
    epsilon: Any,
    *,
    epsilon_inside_sqrt: bool = False,
) -> tuple[Any, Any, Any]:
    """Returns the step to subtract from the parameter, and the new averages."""
    m = moving_average(m, g, beta_1)
    v = moving_average(v, ops.square(g), beta_2)
    # m / c_1 and v / c_2 are the corrected averages. The corrections go to the
    # scalars, so that no pass over the parameters is spent on them.
    learning_rate, epsilon, c_1, c_2 = (
        ops.cast(scalar, g.dtype)
        for scalar in (
            learning_rate,
            epsilon,
            bias_correction(beta_1, t),
            bias_correction(beta_2, t),
        )
    )
    root = ops.sqrt(c_2)
    rate = learning_rate * root / c_1
    if epsilon_inside_sqrt:
        return rate * m * ops.rsqrt(v + epsilon * c_2), m, v
    return rate * m / (ops.sqrt(v) + epsilon * root), m, v


@keras.saving.register_keras_serializable(package="tfcourse")
class Adam(BaseOptimizer):
    r"""Gradient descent scaled by running moments of the gradient.

    With $g_t$ the gradient at step $t = 1, 2, \dots$, $m_0 = v_0 = 0$ (the
    course's $v$ and $s$) and all operations elementwise,

    $$m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \qquad
      v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2,$$

    $$\hat m_t = \frac{m_t}{1 - \beta_1^t}, \qquad
      \hat v_t = \frac{v_t}{1 - \beta_2^t}, \qquad
      w_t = w_{t-1} - \alpha \,
      \frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon}.$$

    With `epsilon_inside_sqrt=True` the last denominator is
    $\sqrt{\hat v_t + \varepsilon}$, as the course once published it.

    `keras.optimizers.Adam` adds its $\varepsilon$ before the correction of
    $v_t$, so its effective value is $\varepsilon / \sqrt{1 - \beta_2^t}$,
    some thirty times larger at the first step.

    Args:
        learning_rate: $\alpha \ge 0$, in units of $w$: about the largest change
            of a parameter in one step. A float, which can be set during
            training, or a schedule.
        beta_1: $\beta_1$, share of the first moment kept at each step, in
            [0, 1). Can be set during training.
        beta_2: $\beta_2$, the same for the second moment.
        epsilon: $\varepsilon > 0$, in units of $g$, squared if inside the
            root. Can be set during training.
        epsilon_inside_sqrt: Whether $\varepsilon$ is added before taking the
            root.
        l2: $\lambda / m \ge 0$: $\lambda / m \cdot w$ is added to the gradient
            of every kernel, but never to that of a bias, $\gamma$ or $\beta$,
            after clipping. Can be set during training.
        **kwargs: Passed to `keras.optimizers.Optimizer`: `weight_decay`,
            `clipnorm`, `use_ema`, `gradient_accumulation_steps`, ...

    Raises:
        TypeError: If a hyperparameter is not a number, or
            `epsilon_inside_sqrt` not a bool.
        ValueError: If a hyperparameter lies outside its interval, or an
            argument is unknown.

    Example:

    >>> w = keras.Variable([1.0])
    >>> adam = Adam(learning_rate=0.1)
    >>> adam.apply([np.array([5.0], "float32")], [w])
    >>> round(float(w[0]), 6)
    0.9

    Reference:
        Kingma and Ba (2015), Algorithm 1, https://arxiv.org/abs/1412.6980.
        Andrew Ng, Improving Deep Neural Networks, week 2, "Adam optimization
        algorithm".
    """

    beta_1 = Hyperparameter("[0, 1)")
    beta_2 = Hyperparameter("[0, 1)")
    epsilon = Hyperparameter("(0, inf)")
    slots = ("m", "v")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        epsilon_inside_sqrt: bool = False,
        l2: float = 0.0,
        **kwargs: Any,
    ) -> None:
        check_flag(epsilon_inside_sqrt, "epsilon_inside_sqrt", "Adam")
        super().__init__(learning_rate, l2, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.epsilon_inside_sqrt = epsilon_inside_sqrt

    @property
    def fused_kernel(self) -> str:
        return "adam_inside" if self.epsilon_inside_sqrt else "adam"

    def settings(self, learning_rate: Any) -> dict[str, Any]:
        return {
            "t": self.iterations + 1,
            "learning_rate": learning_rate,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }

    def equation(
        self, g: Any, m: Any, v: Any, **settings: Any
    ) -> tuple[Any, Any, Any]:
        return adam_step(
            g, m, v, **settings, epsilon_inside_sqrt=self.epsilon_inside_sqrt
        )

    def get_config(self) -> dict[str, Any]:
        own = {"epsilon_inside_sqrt": self.epsilon_inside_sqrt}
        return {**super().get_config(), **own}
