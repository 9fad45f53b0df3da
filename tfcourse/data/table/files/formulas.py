"""Cells of CSV that a spreadsheet would compute, made text.

Excel and LibreOffice compute a cell of a CSV file that begins like a formula,
and a formula can start programs and send other cells away. An apostrophe before
it makes it text; `without_apostrophe` takes it away again.
"""

import re
from typing import Any

# What begins a formula, those of East Asian keyboards among it.
_BEGINS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(rf"'*[{_BEGINS}]")
_NUMBER = re.compile(
    r"[+-]?(\d[\d.,]*|\.\d+)([eE][+-]?\d+)?%?|[+-]?(inf|infinity|nan)", re.I
)
_ESCAPED = re.compile(rf"'+[{_BEGINS}]")


def as_text(cell: Any) -> Any:
    """Returns a cell that no spreadsheet computes.

    Args:
        cell: Text gets an apostrophe if it begins like a formula and is no
            number; anything else is returned as it is.
    """
    if not isinstance(cell, str) or not _FORMULA.match(cell):
        return cell
    # A sign alone stands for nothing, as in "-".
    alone = len(cell) == 1 or _NUMBER.fullmatch(cell)
    return cell if alone else f"'{cell}"


def without_apostrophe(cell: str) -> str:
    """Returns the text that `as_text` was given."""
    return cell[1:] if _ESCAPED.match(cell) else cell
