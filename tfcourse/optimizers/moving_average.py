"""The weighted averages of the optimizers, as functions of tensors."""

from typing import Any

from keras import ops


def moving_average(average: Any, new: Any, beta: Any) -> Any:
    r"""Returns $\beta \cdot \text{average} + (1 - \beta) \cdot \text{new}$."""
    # 1 - 0.999 is off by 1e-5 in float32: subtract in the dtype of `beta`.
    old_share = ops.cast(beta, new.dtype)
    new_share = ops.cast(1 - beta, new.dtype)
    return old_share * average + new_share * new


def bias_correction(beta: Any, t: Any) -> Any:
    r"""Returns $1 - \beta^t$, by which a moving average from 0 is divided.

    That of NumPy is `tfcourse.averages.exponential.total_weight`.
    """
    # So written, float32 keeps all its digits also where `beta` is near 1.
    log = ops.log(beta)
    return -ops.expm1(ops.cast(t, log.dtype) * log)
