"""One long run, watched, steered and brought back when it goes wrong.

Its parts load on first use: the command line reads and steers a run without
Keras.
"""

import importlib

_HOME = {
    "Guard": "guard",
    "Panda": "callback",
    "Remote": "control",
    "daily_nudge": "policy",
    "draw_plots": "plots",
    "read_journal": "journal",
    "read_status": "status",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        home = importlib.import_module(f"tfcourse.tuning.panda.{_HOME[name]}")
        return getattr(home, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
