"""Predictions as a CSV file."""

import csv
import os
import pathlib
from collections.abc import Callable, Collection, Iterable
from typing import Any, TextIO

import numpy as np

from tfcourse.data.table.files.formulas import as_text
from tfcourse.errors import InputError
from tfcourse.outputs import check_replaceable, is_device, is_text
from tfcourse.utils.atomic_files import replacing


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


def check_out(
    out: str | os.PathLike,
    overwrite: bool = False,
    apart: Collection[str | os.PathLike] = (),
) -> None:
    """Raises unless predictions may be written to a path.

    Args:
        out: The path; a device or a pipe may always be written to.
        overwrite: Whether to replace a file of text that is there.
        apart: Files and folders that are read, and so are not written to.

    Raises:
        InputError: If it exists and is not to be replaced, is a folder or no
            text, or is read.
    """
    out = pathlib.Path(out)
    if out.is_dir():
        raise InputError(f"{out} is a folder. Choose another --out.")
    for used in apart:
        if pathlib.Path(used).exists() and _is_in(out, pathlib.Path(used)):
            raise InputError(
                f"{out} is {used}, which is being read, or lies inside it. "
                "Choose another --out."
            )
    if out.exists() and not overwrite and not is_device(out):
        raise InputError(
            f"{out} exists already. Choose another --out, or replace it with "
            "--overwrite."
        )
    check_replaceable(out, is_text, "a table as text")


def _is_in(path, other):
    """Returns whether a path is another, or in it."""
    if path.exists() and path.samefile(other):
        return True
    return path.resolve().is_relative_to(other.resolve())


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
        replacing(out, keep_links=True) as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        return write_predictions(chunks, file, advance)
