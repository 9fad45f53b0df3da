"""Learning-rate decay, per epoch or per mini-batch.

Each rule comes twice: as a plain function of the number of the epoch, for
numbers and NumPy arrays, and as a schedule to give to an optimizer in place of
its learning rate. The constants of a schedule are scalar variables: setting
one takes effect in the next step, without retracing. An optimizer of
`tfcourse.optimizers` lists them among its `hyperparameters` and saves them.
With one of Keras's own they only take effect on TensorFlow, and are not saved.

A schedule counts epochs from 0, as `fit` does: with `steps_per_epoch=n`, the
epoch of the steps 0 to n - 1 is 0. Without, it counts steps instead.

Above both, each module has the equation itself, which checks nothing and takes
numbers, arrays and any backend's tensors.
"""

from tfcourse.saving import register
from tfcourse.schedules.exponential_decay import (
    ExponentialDecay,
    exponential_decay,
)
from tfcourse.schedules.inverse_sqrt_decay import (
    InverseSqrtDecay,
    inverse_sqrt_decay,
)
from tfcourse.schedules.inverse_time_decay import (
    InverseTimeDecay,
    inverse_time_decay,
)
from tfcourse.schedules.piecewise_constant_decay import (
    PiecewiseConstantDecay,
    piecewise_constant_decay,
)

__all__ = [
    "ExponentialDecay",
    "InverseSqrtDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "exponential_decay",
    "inverse_sqrt_decay",
    "inverse_time_decay",
    "piecewise_constant_decay",
]

register()
