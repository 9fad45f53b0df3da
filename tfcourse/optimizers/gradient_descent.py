"""Gradient descent."""

from typing import Any

import keras
from keras import ops

from tfcourse.optimizers.base import BaseOptimizer


def gradient_descent_step(g: Any, learning_rate: Any) -> Any:
    """Returns the step to subtract from the parameter."""
    return ops.multiply(g, ops.cast(learning_rate, g.dtype))


@keras.saving.register_keras_serializable(package="tfcourse")
class GradientDescent(BaseOptimizer):
    r"""Goes down the gradient, in steps proportional to it.

    With $dW$ the gradient of the cost by a parameter $W$,

    $$W := W - \alpha \, dW.$$

    `keras.optimizers.SGD` without momentum computes the same; its learning
    rate is a variable too, but it has no `l2`.

    Args:
        learning_rate: $\alpha \ge 0$, in units of $W^2$ over those of the cost.
            A float, which can be set during training, or a schedule.
        l2: $\lambda / m \ge 0$: $\lambda / m \cdot W$ is added to the gradient
            of every kernel, but never to that of a bias, $\gamma$ or $\beta$,
            after clipping. This is the gradient of the course's
            $\frac{\lambda}{2m} \lVert W \rVert_F^2$, so that each step first
            scales $W$ by $1 - \alpha \lambda / m$. Can be set during training.
        **kwargs: Passed to `keras.optimizers.Optimizer`: `weight_decay`,
            `clipnorm`, `use_ema`, `gradient_accumulation_steps`, ...

    Raises:
        TypeError: If a hyperparameter is not a number.
        ValueError: If a hyperparameter lies outside its interval, or an
            argument is unknown.

    Example:

    >>> w = keras.Variable([[1.0]])
    >>> optimizer = GradientDescent(learning_rate=0.1, l2=0.5)
    >>> optimizer.apply([np.array([[2.0]], "float32")], [w])
    >>> round(float(w[0, 0]), 6)
    0.75

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 1, "Regularization",
        and week 2, "Mini-batch gradient descent".
    """

    fused_kernel = "gradient_descent"

    def __init__(
        self, learning_rate: Any = 0.01, l2: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, l2, **kwargs)

    def settings(self, learning_rate: Any) -> dict[str, Any]:
        return {"learning_rate": learning_rate}

    def equation(self, g: Any, learning_rate: Any) -> tuple[Any]:
        return (gradient_descent_step(g, learning_rate),)
