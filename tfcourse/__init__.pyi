from . import (
    averages,
    data,
    diagnostics,
    errors,
    export,
    graph_mode,
    hyperparameter,
    initializers,
    layers,
    optimizers,
    regularizers,
    schedules,
    tf1_runner,
    tuning,
)
from .export import export_saved_model
from .saving import load_model
from .start_up import quiet_start

__all__ = [
    "averages",
    "data",
    "diagnostics",
    "errors",
    "export",
    "export_saved_model",
    "graph_mode",
    "hyperparameter",
    "initializers",
    "layers",
    "load_model",
    "optimizers",
    "quiet_start",
    "regularizers",
    "schedules",
    "tf1_runner",
    "tuning",
]

__version__: str
