"""Gradient descent with momentum."""

from typing import Any

import keras
from keras import ops

from tfcourse.hyperparameter import Hyperparameter
from tfcourse.optimizers.base import BaseOptimizer
from tfcourse.optimizers.moving_average import moving_average


def momentum_step(
    g: Any, v: Any, learning_rate: Any, beta: Any
) -> tuple[Any, Any]:
    """Returns the step to subtract from the parameter, and the new average."""
    v = moving_average(v, g, beta)
    return ops.cast(learning_rate, v.dtype) * v, v


@keras.saving.register_keras_serializable(package="tfcourse")
class Momentum(BaseOptimizer):
    r"""Gradient descent along an exponentially weighted average of gradients.

    With $dW$ the gradient of the cost by a parameter $W$, and $v = 0$ at first,

    $$v := \beta v + (1 - \beta) \, dW, \qquad W := W - \alpha v.$$

    `keras.optimizers.SGD(momentum=beta)` sums instead of averaging: without
    the factor $1 - \beta$ its steps are, at $\beta = 0.9$, ten times as long.
    With the learning rate $(1 - \beta) \alpha$ it computes the same, as long
    as neither changes: its velocity contains the learning rates of the past.

    Args:
        learning_rate: $\alpha \ge 0$, in units of $W^2$ over those of the cost.
            A float, which can be set during training, or a schedule.
        beta: $\beta$, share of the average kept at each step, in [0, 1). The
            average is over about $1 / (1 - \beta)$ steps. Can be set during
            training.
        l2: $\lambda / m \ge 0$: $\lambda / m \cdot W$ is added to the gradient
            of every kernel, but never to that of a bias, $\gamma$ or $\beta$,
            after clipping. Can be set during training.
        **kwargs: Passed to `keras.optimizers.Optimizer`: `weight_decay`,
            `clipnorm`, `use_ema`, `gradient_accumulation_steps`, ...

    Raises:
        TypeError: If a hyperparameter is not a number.
        ValueError: If a hyperparameter lies outside its interval, or an
            argument is unknown.

    Example:

    >>> w = keras.Variable([1.0])
    >>> optimizer = Momentum(learning_rate=0.1, beta=0.9)
    >>> optimizer.apply([np.array([5.0], "float32")], [w])
    >>> round(float(w[0]), 6)
    0.95

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "Gradient descent
        with momentum". The method is that of Polyak (1964),
        https://doi.org/10.1016/0041-5553(64)90137-5.
    """

    beta = Hyperparameter("[0, 1)")
    slots = ("v",)
    fused_kernel = "momentum"

    def __init__(
        self,
        learning_rate: Any = 0.01,
        beta: float = 0.9,
        l2: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, l2, **kwargs)
        self.beta = beta

    def settings(self, learning_rate: Any) -> dict[str, Any]:
        return {"learning_rate": learning_rate, "beta": self.beta}

    def equation(
        self, g: Any, v: Any, learning_rate: Any, beta: Any
    ) -> tuple[Any, Any]:
        return momentum_step(g, v, learning_rate, beta)
