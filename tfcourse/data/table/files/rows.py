"""Some rows of a table, and where they stand in their file."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow

OnBad = Callable[[str], object]


@dataclasses.dataclass(frozen=True)
class Rows:
    """Some rows of a table.

    Attributes:
        places: Where each stands, for people to find it: `"line 3"`.
        cells: A `pyarrow.Array` for each column, by name; of a text file,
            what is written there.
    """

    places: "Places"
    cells: "dict[str, pyarrow.Array]"


@dataclasses.dataclass(frozen=True)
class Places:
    """Where some rows stand in their file.

    Attributes:
        word: `"line"`, as an editor counts, or `"row"`, 1 below the header.
        numbers: Of each row, shape `(m,)`.
    """

    word: str
    numbers: np.ndarray

    def __getitem__(self, position: int) -> str:
        return f"{self.word} {self.numbers[position]}"

    def __len__(self):
        return len(self.numbers)
