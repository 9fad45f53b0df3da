from .caviar.coarse_to_fine_search import CoarseToFineSearch
from .caviar.executors.local import LocalExecutor
from .caviar.executors.on_ray.cluster import RayExecutor
from .caviar.successive_halving import Halving
from .caviar.tuner import Caviar
from .ensemble import Ensemble
from .evolution.following import FollowSchedule
from .evolution.schedule import HyperparameterSchedule
from .evolution.tuner import Evolution
from .oracles.base import SearchOracle
from .oracles.coarse_to_fine import CoarseToFineOracle, read_rounds
from .oracles.optuna import OptunaOracle
from .oracles.random_search import RandomSearchOracle
from .panda.callback import Panda
from .panda.control.remote import Remote
from .panda.journal.journal import read_journal
from .panda.journal.plots import draw_plots
from .panda.journal.status import read_status
from .panda.policy import daily_nudge
from .panda.recovery.guard import Guard
from .population import CannotVectorize
from .population.history import MemberHistory
from .population.population import Population
from .replication.tuner import Replication
from .report.page import write_report
from .results.dataframe import trials_frame
from .results.importance import importances
from .results.optuna_study import to_optuna
from .results.replication.replicates import Replicates, read_replicates
from .results.warm_start import best_points
from .retesting.drift import Drift, drift
from .retesting.retest import Retest, retest
from .search_space.course_space import CourseSpace
from .search_space.scales import (
    log_uniform,
    one_minus_log_uniform,
    powers_of_two,
    uniform_integers,
)
from .tuners.cross_validation import CrossValidated
from .tuners.serial import SerialTuner
from .tuners.sklearn_wrapper import (
    OneMinusLogUniform,
    SpaceClassifier,
    sklearn_space,
)

__all__ = [
    "CannotVectorize",
    "Caviar",
    "CoarseToFineOracle",
    "CoarseToFineSearch",
    "CourseSpace",
    "CrossValidated",
    "Drift",
    "Ensemble",
    "Evolution",
    "FollowSchedule",
    "Guard",
    "Halving",
    "HyperparameterSchedule",
    "LocalExecutor",
    "MemberHistory",
    "OneMinusLogUniform",
    "OptunaOracle",
    "Panda",
    "Population",
    "RandomSearchOracle",
    "RayExecutor",
    "Remote",
    "Replicates",
    "Replication",
    "Retest",
    "SearchOracle",
    "SerialTuner",
    "SpaceClassifier",
    "best_points",
    "daily_nudge",
    "draw_plots",
    "drift",
    "importances",
    "log_uniform",
    "one_minus_log_uniform",
    "powers_of_two",
    "read_journal",
    "read_replicates",
    "read_rounds",
    "read_status",
    "retest",
    "sklearn_space",
    "to_optuna",
    "trials_frame",
    "uniform_integers",
    "write_report",
]
