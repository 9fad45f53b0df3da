"""What two models must share to be trained as one program."""

from tfcourse.tuning.population.structure.comparison import (
    compile_structure,
    difference_between,
    first_difference,
    structure,
)
from tfcourse.tuning.population.structure.reader import StructureReader

__all__ = [
    "StructureReader",
    "compile_structure",
    "difference_between",
    "first_difference",
    "structure",
]
