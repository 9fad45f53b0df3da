from .classifier.softmax_classifier import SoftmaxClassifier
from .graph_text import describe_graph
from .named_optimizers import optimizer_named
from .old_scripts import run_script
from .optimizers import Adam, GradientDescent, Momentum, RMSprop
from .quadratic import minimize_quadratic
from .schedules import (
    exponential_decay,
    inverse_sqrt_decay,
    inverse_time_decay,
    piecewise_constant_decay,
)

__all__ = [
    "Adam",
    "GradientDescent",
    "Momentum",
    "RMSprop",
    "SoftmaxClassifier",
    "describe_graph",
    "exponential_decay",
    "inverse_sqrt_decay",
    "inverse_time_decay",
    "minimize_quadratic",
    "optimizer_named",
    "piecewise_constant_decay",
    "run_script",
]
