"""Andrew Ng's "Improving Deep Neural Networks", made real on Keras 3.

Subpackages load on first use, so that `import tfcourse` and the command line
answer at once: Keras and TensorFlow take seconds to import.
"""

import importlib

__version__ = "0.1.0"

_SUBPACKAGES = frozenset(
    {
        "averages",
        "data",
        "diagnostics",
        "export",
        "graph_mode",
        "initializers",
        "layers",
        "optimizers",
        "regularizers",
        "schedules",
        "tuning",
    }
)
# Public functions that live in a subpackage, and where.
_FUNCTIONS = {"export_saved_model": "export", "load_model": "components"}

__all__ = ["__version__", *sorted(_SUBPACKAGES), *sorted(_FUNCTIONS)]


def __getattr__(name):
    if name in _SUBPACKAGES:
        return importlib.import_module(f"tfcourse.{name}")
    if name in _FUNCTIONS:
        module = importlib.import_module(f"tfcourse.{_FUNCTIONS[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'tfcourse' has no attribute {name!r}")


def __dir__():
    return __all__
