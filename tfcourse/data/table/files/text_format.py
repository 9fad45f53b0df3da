"""How a table is written as text: encoding, separator, decimal mark."""

import codecs
import csv
import dataclasses
import os
import pathlib
import re

from tfcourse.data.table.files.encoding import encoding_of, not_decoded
from tfcourse.data.table.files.number_marks import marks_of
from tfcourse.errors import InputError

# So much is looked at; what comes later must be of the same form.
_SAMPLE = 1 << 20
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")


@dataclasses.dataclass(frozen=True)
class TextFormat:
    """How the cells of a text file are written.

    Attributes:
        encoding: A name that Python knows.
        separator: What stands between two cells.
        decimal: What stands before the decimals of a number, `.` or `,`.
        thousands: Whether something stands between thousands, as in 1,000.
    """

    encoding: str = "utf-8"
    separator: str = ","
    decimal: str = "."
    thousands: bool = False

    def assumed(self) -> str | None:
        """Returns what is not as usual, in a sentence, if anything is."""
        parts = []
        if self.encoding not in ("utf-8", "utf-8-sig"):
            parts.append(f"in {self.encoding}")
        if self.separator != ",":
            name = _SEPARATORS.get(self.separator, repr(self.separator))
            parts.append(f"separated by {name}")
        if self.decimal != ".":
            parts.append("with decimal commas")
        if self.thousands:
            parts.append("with marks between thousands")
        return f"Read as text {', '.join(parts)}." if parts else None


def text_format(
    path: str | os.PathLike,
    encoding: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
) -> TextFormat:
    """Returns how a text file is written: as given, else as is plain.

    Args:
        path: The file.
        encoding: A name that Python knows, e.g. `"gbk"`.
        separator: One character, or `"tab"`.
        decimal: `"."` or `","`.

    Raises:
        InputError: If what is given cannot be, or the encoding is not plain.
    """
    with pathlib.Path(path).open("rb") as file:
        raw = file.read(_SAMPLE)
        whole = not file.read(1)
    encoding = _checked_encoding(encoding) or encoding_of(path, raw, whole)
    try:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        text = decoder.decode(raw, final=whole)
    except UnicodeError as error:
        raise not_decoded(path, encoding, error) from error
    separator = _checked_separator(separator) or _separator(text, whole)
    decimal = _checked_decimal(decimal)
    decimal, thousands = _marks(text, separator, decimal, whole)
    return TextFormat(encoding, separator, decimal, thousands)


def _checked_encoding(name):
    if name is None:
        return None
    try:
        found = codecs.lookup(name).name
        "".encode(found)
    except LookupError as error:
        raise InputError(
            f"--encoding {name!r} is not known. Write e.g. utf-8, utf-16, gbk "
            "or cp1252."
        ) from error
    return "utf-8-sig" if found == "utf-8" else found


def _checked_separator(separator):
    if separator is None:
        return None
    named = {name: mark for mark, name in _SEPARATORS.items()}
    mark = {**named, r"\t": "\t"}.get(separator, separator)
    if len(mark) != 1 or mark.isalnum() or mark in '"\r\n':
        raise InputError(
            "--separator must be one character between the cells, or tab. "
            f"Received: {separator!r}"
        )
    return mark


def _checked_decimal(decimal):
    if decimal not in (None, ".", ","):
        raise InputError(f"--decimal must be . or , Received: {decimal!r}")
    return decimal


def _rows(text, separator, whole, at_most=1000):
    """Returns the first rows of a sample; the last may be cut off."""
    lines = text.splitlines(keepends=True)
    lines = lines if whole else lines[:-1]
    rows = []
    try:
        for row in csv.reader(lines, delimiter=separator, strict=True):
            if row:
                rows.append(row)
            if len(rows) == at_most:
                break
    except csv.Error:
        pass  # Reading the file says where.
    return rows


def _separator(text, whole):
    """Returns what cuts all rows into equally many cells, else most of them.

    Of several that do, the one that makes more cells, or more numbers: names
    and texts may have commas, and amounts decimal commas, one a row.
    """
    rows = {mark: _rows(text, mark, whole) for mark in _SEPARATORS}
    likely = {m: _evidence(r) for m, r in rows.items() if r and len(r[0]) > 1}
    # In the order of _SEPARATORS: a comma wins.
    return max(likely, key=likely.__getitem__, default=",")


def _evidence(rows):
    """Returns how well a separator explains its rows; higher is better."""
    width = len(rows[0])
    as_wide = sum(len(row) == width for row in rows) / len(rows)
    cells = [cell for row in rows[1:] for cell in row]
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in cells)
    return as_wide, width, numbers / max(len(cells), 1)


def _marks(text, separator, decimal, whole):
    cells = (
        cell.strip()
        for row in _rows(text, separator, whole)[1:]
        for cell in row
    )
    return marks_of(cells, separator, decimal)
