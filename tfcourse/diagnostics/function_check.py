"""Gradient checking of a function of arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tfcourse.diagnostics.flat_vector import FlatVector
from tfcourse.diagnostics.numerical_gradient import (
    GradientCheck,
    check_settings,
)
from tfcourse.diagnostics.precision import compare_as_computed


def check_gradient(
    f: Callable,
    gradient: Any,
    theta: Any,
    epsilon: float = 1e-7,
    sample: int | None = None,
    seed: int = 0,
) -> GradientCheck:
    r"""Compares a hand-written gradient with two-sided differences.

    With $e_i$ the unit vectors,

    $$b_i = \frac{J(\theta + \varepsilon e_i) - J(\theta - \varepsilon e_i)}
      {2 \varepsilon}, \qquad
      \text{ratio} = \frac{\lVert a - b \rVert_2}
      {\lVert a \rVert_2 + \lVert b \rVert_2}$$

    for $a$ the gradient to be checked. Keras has nothing of the kind.
    Everything is computed in float64; in float32 the differences would be
    nothing but rounding error.

    Args:
        f: $J$, a function that takes what `theta` holds and returns a number.
        gradient: $a$, arrays like `theta`, or a function that gives them.
        theta: $\theta$, an array, or a dict of arrays by name, such as the
            course's `{"W1": ..., "b1": ...}`.
        epsilon: $\varepsilon > 0$, in units of $\theta$.
        sample: How many parameters to check; all by default. Every array gets
            an equal share of the sample, so that no bias vector is left out.
        seed: The seed for drawing the sample.

    Returns:
        A `GradientCheck`.

    Raises:
        ValueError: If a setting lies outside its interval, the shapes of
            gradient and parameters differ, or the loss is not finite.

    Example:

    >>> check = check_gradient(
    ...     f=lambda w: (w**3).sum(),
    ...     gradient=lambda w: 3 * w**2,
    ...     theta=np.array([1.0, 2.0]),
    ... )
    >>> check.verdict
    'good'

    Reference:
        Ng, "Improving Deep Neural Networks", week 1, "Gradient checking".
    """
    named = isinstance(theta, dict)
    arrays = theta if named else {"theta": theta}
    arrays = {k: np.array(v, "float64") for k, v in arrays.items()}
    check_settings("check_gradient", epsilon, sample, seed)
    layout = FlatVector(arrays, [array.shape for array in arrays.values()])

    def pack(flat):
        parts = dict(zip(arrays, layout.split(flat), strict=True))
        return parts if named else parts["theta"]

    start = layout.join(arrays.values())
    if callable(gradient):
        gradient = gradient(pack(start))
    if named and set(gradient) != set(arrays):
        raise ValueError(
            f"`gradient` must have the keys of `theta`, {sorted(arrays)}. "
            f"Received: {sorted(gradient)}"
        )
    gradients = [gradient[k] for k in arrays] if named else [gradient]

    def losses(indices, step):
        def at(index, sign):
            moved = start.copy()
            moved[index] += sign * step
            return float(f(pack(moved)))

        return np.array([[at(i, 1), at(i, -1)] for i in indices])

    indices = layout.sample(sample, seed)
    gradient = layout.join(gradients, "gradient")[indices]
    return compare_as_computed(layout, indices, gradient, losses, epsilon)
