"""Rows that cannot be used: refused with the first, or left out."""

from collections.abc import Callable

import numpy as np

from tfcourse.data.table.files.rows import Places
from tfcourse.errors import InputError


def refuse(path: object, sentence: str, otherwise: str = "") -> None:
    """Raises because of a row that cannot be used.

    Args:
        path: Of the file.
        sentence: What is wrong where, without a full stop.
        otherwise: Another way out.

    Raises:
        InputError: Always.
    """
    raise InputError(
        f"{path}: {sentence}. Correct it, or leave out such rows with "
        f"--skip-bad{otherwise}."
    )


class BadRows:
    """The rows of a table that cannot be used.

    Args:
        path: Of the file.
        places: Where its rows stand.
        skip: Whether such rows are left out; else the first is an error.

    Attributes:
        mask: Which rows those are.
    """

    def __init__(self, path: object, places: Places, skip: bool) -> None:
        self._path, self._places, self._skip = path, places, skip
        self._first = None
        self.mask = np.zeros(len(places), bool)

    def add(
        self,
        wrong: np.ndarray,
        complaint: Callable[[int], str],
        otherwise: str = "",
    ) -> None:
        """Notes rows that cannot be used.

        Args:
            wrong: A mask of them.
            complaint: From the position of a row to what is wrong with it.
            otherwise: Another way out.

        Raises:
            InputError: If there is one and such are not left out.
        """
        if not wrong.any():
            return
        row = int(wrong.argmax())
        sentence = f"{self._places[row]} {complaint(row)}"
        if not self._skip:
            refuse(self._path, sentence, otherwise)
        self._first = self._first or sentence
        self.mask |= wrong

    def note(self) -> str | None:
        """Returns how many there are and what is wrong, in a sentence."""
        count = int(self.mask.sum())
        if not count:
            return None
        rows = "1 row" if count == 1 else f"{count:,} rows"
        return f"{rows} left out: {self._first}."
