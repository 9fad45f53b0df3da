"""The optimizers that do the same with each number of each parameter."""

import keras

_ELEMENTWISE = (
    "keras.src.optimizers.adadelta.Adadelta",
    "keras.src.optimizers.adagrad.Adagrad",
    "keras.src.optimizers.adam.Adam",
    "keras.src.optimizers.adamax.Adamax",
    "keras.src.optimizers.adamw.AdamW",
    "keras.src.optimizers.lion.Lion",
    "keras.src.optimizers.nadam.Nadam",
    "keras.src.optimizers.rmsprop.RMSprop",
    "keras.src.optimizers.sgd.SGD",
    "tfcourse.optimizers.adam.Adam",
    "tfcourse.optimizers.gradient_descent.GradientDescent",
    "tfcourse.optimizers.momentum.Momentum",
    "tfcourse.optimizers.rmsprop.RMSprop",
)


def is_elementwise(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer's step of a number depends on no other number.

    Where its gradient is zero from the first step on, so is then its step.
    Clipping by a norm is left out of account.
    """
    kind = type(optimizer)
    return f"{kind.__module__}.{kind.__qualname__}" in _ELEMENTWISE
