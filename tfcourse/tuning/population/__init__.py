"""Many models of one structure, trained as one program."""

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.deferred import build_deferred, initial_values
from tfcourse.tuning.population.history import MemberHistory
from tfcourse.tuning.population.population import Population
from tfcourse.tuning.population.structure import first_difference, structure

__all__ = [
    "CannotVectorize",
    "MemberHistory",
    "Population",
    "build_deferred",
    "first_difference",
    "initial_values",
    "structure",
]
