"""The first sheet of an Excel file, as columns of types."""

import contextlib
import itertools
import pathlib
import zipfile
from collections.abc import Callable
from typing import Any

from tfcourse.data.unpacked_size import check_zip
from tfcourse.errors import InputError


def read_sheet(path: pathlib.Path) -> tuple[list[str], Callable]:
    """Returns the names of the columns, and what gives batches of a size.

    Raises:
        InputError: If openpyxl is not there, or the sheet is empty.
    """
    import pyarrow as pa

    rows = _sheet(path)
    names = ["" if cell is None else str(cell).strip() for cell in rows[0]]
    columns = [
        _array(list(column), pa) for column in zip(*rows[1:], strict=True)
    ] or [pa.nulls(0)] * len(names)
    table = pa.Table.from_arrays(columns, names=names)
    return names, table.to_batches


def sheet_names(path: pathlib.Path) -> list[str]:
    """Returns the names of the sheets of cells."""
    with contextlib.closing(_book(path)) as book:
        return [sheet.title for sheet in book.worksheets]


def _book(path):
    if zipfile.is_zipfile(path):
        check_zip(path)
    try:
        import openpyxl
    except ImportError as error:
        raise InputError(
            f"{path}: .xlsx needs the package openpyxl, which is not "
            "installed: `pip install openpyxl`. Or save the sheet as CSV."
        ) from error
    try:
        return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except zipfile.BadZipFile as error:
        raise ValueError("it is not a zip archive") from error


def _sheet(path):
    """Returns the rows of the first sheet, without a margin that is empty."""
    with contextlib.closing(_book(path)) as book:
        rows = list(book.worksheets[0].iter_rows(values_only=True))
    rows = [row for row in rows if any(cell is not None for cell in row)]
    used = [
        any(cell is not None for cell in column)
        for column in zip(*rows, strict=True)
    ]
    rows = [tuple(itertools.compress(row, used)) for row in rows]
    if not rows:
        raise InputError(
            f"{path} is empty. Its first row must name the columns."
        )
    return rows


def _array(cells, pa) -> Any:
    """Returns cells of a sheet as an array, of one type if they have one."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float} or len(kinds) == 1:
        if kinds == {int, float}:
            cells = [None if cell is None else float(cell) for cell in cells]
        return pa.array(cells)
    return pa.array([None if cell is None else str(cell) for cell in cells])
