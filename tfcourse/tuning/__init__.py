"""Hyperparameter search as the course teaches it, on keras-tuner.

Its parts load on first use: the command line reads what a search left without
Keras.
"""

import importlib

# Public names, and the module that has each.
_HOME = {
    "Caviar": "caviar",
    "CoarseToFineOracle": "coarse_to_fine",
    "CoarseToFineSearch": "coarse_to_fine_search",
    "CourseSpace": "spaces",
    "CrossValidated": "folds",
    "Guard": "panda",
    "MemberHistory": "population",
    "OneMinusLogUniform": "sklearn",
    "OptunaOracle": "optuna_oracle",
    "Panda": "panda",
    "Population": "population",
    "RandomSearchOracle": "random_search",
    "Remote": "panda",
    "SerialTuner": "serial",
    "SpaceClassifier": "sklearn",
    "best_points": "warm_start",
    "daily_nudge": "panda",
    "draw_plots": "panda",
    "log_uniform": "scales",
    "one_minus_log_uniform": "scales",
    "powers_of_two": "scales",
    "read_journal": "panda",
    "read_rounds": "coarse_to_fine",
    "read_status": "panda",
    "sklearn_space": "sklearn",
    "to_optuna": "frames",
    "trials_frame": "frames",
    "uniform_integers": "scales",
    "write_report": "report",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        home = importlib.import_module(f"tfcourse.tuning.{_HOME[name]}")
        return getattr(home, name)
    raise AttributeError(f"module 'tfcourse.tuning' has no attribute {name!r}")


def __dir__():
    return __all__
