"""The optimizers that do the same with each number of each parameter."""

import keras

from tfcourse import optimizers

_ELEMENTWISE = (
    keras.optimizers.Adadelta,
    keras.optimizers.Adagrad,
    keras.optimizers.Adam,
    keras.optimizers.Adamax,
    keras.optimizers.AdamW,
    keras.optimizers.Lion,
    keras.optimizers.Nadam,
    keras.optimizers.RMSprop,
    keras.optimizers.SGD,
    optimizers.Adam,
    optimizers.GradientDescent,
    optimizers.Momentum,
    optimizers.RMSprop,
)


def is_elementwise(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer's step of a number depends on no other number.

    Where its gradient is zero from the first step on, so is then its step.
    Clipping by a norm is left out of account.
    """
    return _name(type(optimizer)) in map(_name, _ELEMENTWISE)


def _name(cls: type) -> str:
    # What was made functional is a subclass, and goes by the same name.
    return f"{cls.__module__}.{cls.__qualname__}"
