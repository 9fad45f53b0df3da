"""Many models of one structure, trained as one program."""

from tfcourse.tuning.population.drafts import draft, initial_values
from tfcourse.tuning.population.errors import CannotVectorize
from tfcourse.tuning.population.population import Population
from tfcourse.tuning.population.progress import MemberHistory
from tfcourse.tuning.population.structure import first_difference, structure

__all__ = [
    "CannotVectorize",
    "MemberHistory",
    "Population",
    "draft",
    "first_difference",
    "initial_values",
    "structure",
]
