"""Predictions as a CSV file."""

import csv
import os
import pathlib
from collections.abc import Callable, Iterable
from typing import Any, TextIO

import numpy as np

from tfcourse.errors import InputError
from tfcourse.utils.atomic_files import replacing
from tfcourse.utils.formulas import as_text


def write_predictions(
    chunks: Iterable[dict[str, Any]],
    file: TextIO,
    advance: Callable[[int], object] | None = None,
) -> int:
    """Writes `predictions` as CSV to an open text file.

    Text that a spreadsheet would compute, as `=1+1`, gets an apostrophe before
    it, which tfcourse takes away where it reads a table.

    Args:
        chunks: As `predictions` yields them.
        file: Where to write.
        advance: Called with the number of rows after each chunk.

    Returns:
        How many rows were written.
    """
    writer = csv.writer(file, lineterminator="\n")
    count = 0
    for chunk in chunks:
        if not count:
            writer.writerow(map(as_text, chunk))
        rows = list(zip(*map(_as_text, chunk.values()), strict=True))
        writer.writerows(rows)
        count += len(rows)
        if advance:
            advance(len(rows))
    return count


def _as_text(column):
    """Returns a column of which no spreadsheet computes a cell."""
    if isinstance(column, np.ndarray) and column.dtype.kind not in "OU":
        return column
    return [as_text(cell) for cell in column]


def check_out(out: str | os.PathLike, overwrite: bool = False) -> None:
    """Raises unless predictions may be written to a path.

    Raises:
        InputError: If it exists and is not to be replaced, or is a folder.
    """
    out = pathlib.Path(out)
    if out.is_dir():
        raise InputError(f"{out} is a folder. Choose another --out.")
    if out.exists() and not overwrite:
        raise InputError(
            f"{out} exists already. Choose another --out, or replace it with "
            "--overwrite."
        )


def predict_file(
    chunks: Iterable[dict[str, Any]],
    out: str | os.PathLike,
    advance: Callable[[int], object] | None = None,
    *,
    overwrite: bool = False,
) -> int:
    """Writes `predictions` to a CSV file, whole or not at all.

    Raises:
        InputError: As `check_out`.
    """
    check_out(out, overwrite)
    with (
        replacing(out) as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        return write_predictions(chunks, file, advance)
