"""A gradient check of a loss that is not computed in float64."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from tfcourse.diagnostics.flat_vector import FlatVector
from tfcourse.diagnostics.numerical_gradient import GradientCheck, compare

# A loss in float64 is off by some 1e-16 of itself.
_FLOAT64 = 1e-13
# How far points lie apart: so wide that float32 rounds otherwise at each, and
# so narrow that the fourth difference of a smooth loss is nothing. Beside the
# rounding of float16, it is nothing at the last, either.
_APART = (1e-6, 1e-5)
_FAR_APART = 1e-3
_POINTS = 8
_PARAMETERS = 16
_ORDER = 4
# Of independent errors of size 1 the fourth differences have this size.
_SIZE = np.sqrt(70)


def compare_as_computed(
    layout: FlatVector,
    indices: np.ndarray,
    gradient: Any,
    losses_at: Callable,
    epsilon: float,
) -> GradientCheck:
    """Does as `compare`, with a wider step if the loss is rounded to less.

    A loss or a layer that casts to float32 makes steps of its own, larger than
    what a change of 1e-7 does to it. Its right gradient would look wrong.

    Args:
        layout: As for `compare`, as are all others.
        indices: Which parameters to compare.
        gradient: The gradient by each of them.
        losses_at: Function of indices and a step.
        epsilon: The step, if the loss is computed in float64.
    """
    check = compare(layout, indices, gradient, losses_at, epsilon)
    if check.verdict == "good":
        return check
    size = abs(float(losses_at(indices[:1], 0.0)[0, 0]))
    error = max(loss_error(losses_at, indices, apart) for apart in _APART)
    if not error > _FLOAT64 * max(size, 1e-300):
        return check
    error = max(error, loss_error(losses_at, indices, _FAR_APART))
    # Beside it the step's own error is of the same size.
    wider = max(epsilon, float(np.cbrt(error / max(size, 1e-300))))
    check = compare(layout, indices, gradient, losses_at, wider, error=error)
    return dataclasses.replace(check, in_float64=False)


def loss_error(losses_at: Callable, indices: np.ndarray, apart: float) -> float:
    """Returns by how much rounding moves a loss.

    Of a smooth loss at points in a row the fourth differences are nothing but
    its rounding.

    Args:
        losses_at: As for `compare`.
        indices: Of parameters, some of which are moved.
        apart: How far the points lie apart.
    """
    every = max(1, len(indices) // _PARAMETERS)
    some = np.asarray(indices)[::every][:_PARAMETERS]
    # On each side of its own: at the parameters themselves may be a kink.
    steps = apart * np.arange(1, _POINTS + 1)
    losses = np.stack([losses_at(some, step) for step in steps])
    differences = np.diff(losses, _ORDER, axis=0)
    errors = np.sqrt(np.mean(differences**2, axis=0)) / _SIZE
    # A kink near one parameter is not the rounding of all.
    return float(np.quantile(errors, 0.75))
