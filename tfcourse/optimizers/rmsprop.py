"""RMSprop, with epsilon in either of the places that the course gave it."""

from typing import Any

import keras
from keras import ops

from tfcourse.hyperparameter import Hyperparameter
from tfcourse.optimizers.base import BaseOptimizer
from tfcourse.optimizers.moving_average import moving_average
from tfcourse.utils.validation import check_flag


def rmsprop_step(
    g: Any,
    s: Any,
    learning_rate: Any,
    beta: Any,
    epsilon: Any,
    *,
    epsilon_inside_sqrt: bool = False,
) -> tuple[Any, Any]:
    """Returns the step to subtract from the parameter, and the new average."""
    s = moving_average(s, ops.square(g), beta)
    learning_rate = ops.cast(learning_rate, s.dtype)
    epsilon = ops.cast(epsilon, s.dtype)
    if epsilon_inside_sqrt:
        return learning_rate * g * ops.rsqrt(s + epsilon), s
    return learning_rate * g / (ops.sqrt(s) + epsilon), s


@keras.saving.register_keras_serializable(package="tfcourse")
class RMSprop(BaseOptimizer):
    r"""Gradient descent scaled by the root mean square of recent gradients.

    With $dW$ the gradient of the cost by a parameter $W$, $s = 0$ at first,
    and all operations elementwise,

    $$s := \beta s + (1 - \beta) \, dW^2, \qquad
      W := W - \alpha \, \frac{dW}{\sqrt{s} + \varepsilon}.$$

    This is the form of the lecture. With `epsilon_inside_sqrt=True` it is that
    of the notes, $dW / \sqrt{s + \varepsilon}$.

    `keras.optimizers.RMSprop(rho=beta)` has the form of the notes. With its
    $\varepsilon$ of $10^{-7}$ and $\beta = 0.9$, the first step along a
    gradient of $10^{-5}$ is there a hundred times as short as here:
    $\sqrt\varepsilon$ is that much larger than $\sqrt s$.

    Args:
        learning_rate: $\alpha \ge 0$, in units of $W$: the length of a step
            once $s$ has caught up with a steady gradient. A float, which can
            be set during training, or a schedule.
        beta: $\beta$, share of the average kept at each step, in [0, 1). Can
            be set during training.
        epsilon: $\varepsilon > 0$, in units of $dW$, squared if inside the
            root. Can be set during training.
        epsilon_inside_sqrt: Whether $\varepsilon$ is added before taking the
            root.
        l2: $\lambda / m \ge 0$: $\lambda / m \cdot W$ is added to the gradient
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
    >>> optimizer = RMSprop(learning_rate=0.1, beta=0.75)
    >>> optimizer.apply([np.array([5.0], "float32")], [w])
    >>> round(float(w[0]), 6)
    0.8

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "RMSprop". The
        method is that of Tieleman and Hinton (2012), lecture 6.5,
        https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf.
    """

    beta = Hyperparameter("[0, 1)")
    epsilon = Hyperparameter("(0, inf)")
    slots = ("s",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta: float = 0.999,
        epsilon: float = 1e-8,
        epsilon_inside_sqrt: bool = False,
        l2: float = 0.0,
        **kwargs: Any,
    ) -> None:
        check_flag(epsilon_inside_sqrt, "epsilon_inside_sqrt", "RMSprop")
        super().__init__(learning_rate, l2, **kwargs)
        self.beta = beta
        self.epsilon = epsilon
        self.epsilon_inside_sqrt = epsilon_inside_sqrt

    @property
    def fused_kernel(self) -> str:
        return "rmsprop_inside" if self.epsilon_inside_sqrt else "rmsprop"

    def settings(self, learning_rate: Any) -> dict[str, Any]:
        return {
            "learning_rate": learning_rate,
            "beta": self.beta,
            "epsilon": self.epsilon,
        }

    def equation(self, g: Any, s: Any, **settings: Any) -> tuple[Any, Any]:
        return rmsprop_step(
            g, s, **settings, epsilon_inside_sqrt=self.epsilon_inside_sqrt
        )

    def get_config(self) -> dict[str, Any]:
        own = {"epsilon_inside_sqrt": self.epsilon_inside_sqrt}
        return {**super().get_config(), **own}
