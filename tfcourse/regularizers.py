"""Penalties on weights, as shares of the examples."""

import keras
from keras import ops

from tfcourse.saving import register
from tfcourse.utils.validation import check_flag, check_number


@keras.saving.register_keras_serializable(package="tfcourse")
class L2(keras.regularizers.Regularizer):
    r"""L2 regularization, or weight decay: half the mean of squared weights.

    With $\lambda$ the regularization parameter and $m$ the number of training
    examples,

    $$L = \frac{\lambda}{2m} \sum w^2, \qquad
      \frac{\partial L}{\partial w} = \frac{\lambda}{m} w,$$

    so that gradient descent multiplies $w$ by $1 - \alpha\lambda/m$ in each
    step.

    `keras.regularizers.L2(l2)` is the same with $l2 = \lambda / (2m)$: for
    $\lambda = 0.7$ and 50 examples, 0.007.

    Args:
        lambda_: $\lambda \ge 0$.
        m: Number of training examples, above 0: of the whole training set, not
            of a mini-batch.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument lies outside its interval.

    Example:

    >>> float(L2(lambda_=2.0, m=10)(np.array([1.0, 2.0], "float32")))
    0.5
    """

    def __init__(self, lambda_: float, m: int) -> None:
        check_number(lambda_, "lambda_", "L2", "[0, inf)")
        check_number(m, "m", "L2", "(0, inf)")
        self.lambda_ = lambda_
        self.m = m

    def __call__(self, w: keras.KerasTensor) -> keras.KerasTensor:
        w = _as_float(w)
        return self.lambda_ / (2 * self.m) * ops.sum(ops.square(w))

    def get_config(self) -> dict[str, object]:
        return {"lambda_": float(self.lambda_), "m": float(self.m)}


@keras.saving.register_keras_serializable(package="tfcourse")
class L1(keras.regularizers.Regularizer):
    r"""L1 regularization, which makes weights sparse.

    With $\lambda$ the regularization parameter and $m$ the number of training
    examples,

    $$L = \frac{\lambda}{m} \sum |w|,$$

    or $\frac{\lambda}{2m} \sum |w|$, as the course's notes have it, with
    `half=True`.

    `keras.regularizers.L1(l1)` is the same with $l1 = \lambda / m$: for
    $\lambda = 0.7$ and 50 examples, 0.014.

    Args:
        lambda_: $\lambda \ge 0$.
        m: Number of training examples, above 0: of the whole training set, not
            of a mini-batch.
        half: Whether to divide by $2m$ and not by $m$.

    Raises:
        TypeError: If an argument is not of its type.
        ValueError: If a number lies outside its interval.

    Example:

    >>> float(L1(lambda_=2.0, m=8)(np.array([1.0, -2.0], "float32")))
    0.75
    """

    def __init__(self, lambda_: float, m: int, half: bool = False) -> None:
        check_number(lambda_, "lambda_", "L1", "[0, inf)")
        check_number(m, "m", "L1", "(0, inf)")
        check_flag(half, "half", "L1")
        self.lambda_ = lambda_
        self.m = m
        self.half = half

    def __call__(self, w: keras.KerasTensor) -> keras.KerasTensor:
        divisor = 2 * self.m if self.half else self.m
        return self.lambda_ / divisor * ops.sum(ops.absolute(_as_float(w)))

    def get_config(self) -> dict[str, object]:
        return {
            "lambda_": float(self.lambda_),
            "m": float(self.m),
            "half": self.half,
        }


def frobenius_norm(w: keras.KerasTensor) -> keras.KerasTensor:
    r"""Returns the root of the sum of the squared entries of a matrix.

    $$\|W\|_F = \sqrt{\sum_{i,j} w_{ij}^2}$$

    Its square is what `L2` penalises: $L = \frac{\lambda}{2m} \|W\|_F^2$.

    Args:
        w: A tensor of any shape.

    Returns:
        A scalar. For float16 and bfloat16, and for integers, in float32.

    Example:

    >>> float(frobenius_norm(np.array([[3.0, 0.0], [0.0, 4.0]])))
    5.0
    """
    return ops.sqrt(ops.sum(ops.square(_as_float(w))))


def _as_float(w):
    # Squares of float16 overflow from 256 on.
    w = ops.convert_to_tensor(w)
    return ops.cast(w, keras.backend.result_type(w.dtype, "float32"))


register()
