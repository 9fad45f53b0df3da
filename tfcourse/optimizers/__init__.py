"""The course's optimizers, exact, with settings that can change in training."""

import tfcourse.components  # noqa: F401 (registers the other classes)
from tfcourse.optimizers.adam import Adam
from tfcourse.optimizers.gradient_descent import GradientDescent
from tfcourse.optimizers.momentum import Momentum
from tfcourse.optimizers.rmsprop import RMSprop

__all__ = ["Adam", "GradientDescent", "Momentum", "RMSprop"]
