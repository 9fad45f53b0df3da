"""What two models must share to be trained as one program."""

from tfcourse.tuning.population.structure.comparison import (
    Digest,
    compile_structure,
    difference_between,
    digest,
    first_difference,
    own_variables,
    settings_of,
    structure,
)
from tfcourse.tuning.population.structure.reader import StructureReader

__all__ = [
    "Digest",
    "StructureReader",
    "compile_structure",
    "difference_between",
    "digest",
    "first_difference",
    "own_variables",
    "settings_of",
    "structure",
]
