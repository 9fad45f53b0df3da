"""Text without quotes, read at once by pyarrow: a line a row, as it stands."""

import pathlib
from typing import TYPE_CHECKING

from tfcourse.data.table.files.text_format import TextFormat

if TYPE_CHECKING:
    import pyarrow

# What is larger is read a chunk at a time.
_MOST_BYTES = 1 << 25
_ENCODINGS = ("utf-8", "utf-8-sig")


def plain_lines(
    path: pathlib.Path, form: TextFormat, columns: list[str], header: int
) -> "pyarrow.Table | None":
    """Returns the cells of a file, if each line of it is a row.

    Args:
        path: The file.
        form: How it is written.
        columns: The names of its columns.
        header: The line in which they stand, the first row below it.

    Returns:
        A table of text, whose row `i` stands in line `header + 1 + i`. `None`
        if there are quotes, empty lines or rows of another width, or the file
        is large or in another encoding: Python's own reader knows those.
    """
    import pyarrow as pa
    import pyarrow.csv

    if form.encoding not in _ENCODINGS or path.stat().st_size > _MOST_BYTES:
        return None
    raw = path.read_bytes()
    if raw.count(b"\r") != raw.count(b"\r\n") or any(
        mark in raw for mark in (b'"', b"\n\n", b"\n\r")
    ):
        return None
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(raw),
            pa.csv.ReadOptions(column_names=columns, skip_rows=header),
            pa.csv.ParseOptions(delimiter=form.separator, quote_char=False),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.large_string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    lines = raw.count(b"\n") + (not raw.endswith(b"\n"))
    return table if table.num_rows == lines - header else None
