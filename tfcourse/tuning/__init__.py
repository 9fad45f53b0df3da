"""Hyperparameter search as the course teaches it, on keras-tuner."""

from tfcourse.tuning.random_search import RandomSearchOracle
from tfcourse.tuning.scales import (
    log_uniform,
    one_minus_log_uniform,
    powers_of_two,
)
from tfcourse.tuning.serial import SerialTuner
from tfcourse.tuning.spaces import CourseSpace

__all__ = [
    "CourseSpace",
    "RandomSearchOracle",
    "SerialTuner",
    "log_uniform",
    "one_minus_log_uniform",
    "powers_of_two",
]
