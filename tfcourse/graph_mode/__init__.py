"""The course's TensorFlow 1, in graphs and processes of its own.

Nothing global is switched: TensorFlow 2 and Keras go on as they were in the
process that imports this. TensorFlow loads with the first name that is used.
"""

import importlib

# Public names, and the module that has each.
_MODULES = {
    "Adam": "optimizers",
    "GradientDescent": "optimizers",
    "Momentum": "optimizers",
    "RMSprop": "optimizers",
    "SoftmaxClassifier": "softmax_classifier",
    "describe_graph": "graph_text",
    "exponential_decay": "schedules",
    "inverse_sqrt_decay": "schedules",
    "inverse_time_decay": "schedules",
    "minimize_quadratic": "quadratic",
    "optimizer_named": "named_optimizers",
    "piecewise_constant_decay": "schedules",
    "run_script": "runner",
}

__all__ = sorted(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(
            f"module 'tfcourse.graph_mode' has no attribute {name!r}"
        )
    module = importlib.import_module(f"tfcourse.graph_mode.{_MODULES[name]}")
    return getattr(module, name)


def __dir__():
    return __all__
