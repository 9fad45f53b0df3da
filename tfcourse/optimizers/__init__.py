"""The course's optimizers, exact, with settings that can change in training."""

from tfcourse.optimizers.adam import Adam
from tfcourse.optimizers.gradient_descent import GradientDescent
from tfcourse.optimizers.momentum import Momentum
from tfcourse.optimizers.rmsprop import RMSprop
from tfcourse.saving import register

__all__ = ["Adam", "GradientDescent", "Momentum", "RMSprop"]

register()
