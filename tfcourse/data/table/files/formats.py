"""Files of rows, read a chunk at a time, whatever their size."""

import os
import pathlib

from tfcourse.data.table.files.arrow import ArrowTable
from tfcourse.data.table.files.delimited import TextTable
from tfcourse.data.table.files.text_format import text_format
from tfcourse.errors import InputError
from tfcourse.utils.text import listed

TEXT = (".csv", ".tsv", ".txt")
SUFFIXES = (*TEXT, ".parquet", ".feather", ".xlsx")


def open_table(
    path: str | os.PathLike,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
) -> TextTable | ArrowTable:
    """Returns the table in a file.

    Args:
        path: The file; its ending, one of `SUFFIXES`, says what it is.
        encoding: Of a text file, as for `text_format`.
        separator: Likewise.
        decimal: Likewise.

    Returns:
        Something with `columns`, the names; `format`, the `TextFormat`;
        `assumed()`, a sentence on what was assumed, or `None`; and
        `chunks(size, on_bad)`, which yields `Rows`.

    Raises:
        InputError: If it is not there, of another kind, damaged, has no header
            or two columns of one name.
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"{path} has an unknown kind: a table must end in "
            f"{', '.join(SUFFIXES)}. Save it as one of these, or unpack it."
        )
    if not path.is_file():
        raise InputError(f"There is no file {path}. Check the path.")
    if suffix in TEXT:
        form = text_format(path, encoding, separator, decimal)
        table = TextTable(path, form)
    else:
        _refuse_text_options(path, encoding, separator)
        table = ArrowTable(path, decimal or ".")
    names = table.columns
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"{path} has {listed(twice, 'column')} more than once. Give each "
            "column a name of its own."
        )
    return table


def _refuse_text_options(path, encoding, separator):
    for name, value in {"encoding": encoding, "separator": separator}.items():
        if value is not None:
            raise InputError(
                f"--{name} is for text files such as .csv, and {path} is not "
                "one. Leave it out."
            )
