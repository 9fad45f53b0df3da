"""The marks within numbers written as text: of decimals, of thousands."""

import re
from collections.abc import Iterable

# Between thousands, beside the mark that is not of decimals: a space, one that
# does not break, narrow or not, and apostrophes as the Swiss write them.
SPACES = " '\N{RIGHT SINGLE QUOTATION MARK}\N{NO-BREAK SPACE}\u202f"


def grouped(marks: str, least: int = 1) -> str:
    """Returns the pattern of whole numbers with a mark between thousands.

    No `0,123`: whole numbers begin with no zero.

    Args:
        marks: Characters of which one stands there.
        least: How often it does.
    """
    return rf"[+-]?[1-9]\d{{0,2}}(?:[{marks}]\d{{3}}){{{least},}}"


_DECIMALS = r"[+-]?\d*{mark}\d+(?:[eE][+-]?\d+)?"
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_WITH_COMMA = re.compile(
    rf"{_DECIMALS.format(mark=',')}|{grouped('.' + SPACES)},\d+"
)
_WITH_POINT = re.compile(
    rf"{_DECIMALS.format(mark='[.]')}|{grouped(',' + SPACES)}[.]\d+"
    f"|{grouped(',', 2)}"
)
_THOUSANDS = {
    ",": re.compile(rf"{grouped(',')}(?:\.\d+)?"),
    ".": re.compile(rf"{grouped('.')}(?:,\d+)?"),
}
_SPACED = re.compile(rf"{grouped(SPACES)}(?:[.,]\d+)?")


def marks_of(
    cells: Iterable[str], separator: str, decimal: str | None = None
) -> tuple[str, bool]:
    """Returns the decimal mark of some numbers, and if thousands have marks.

    `0,5` and `1.234,5` have decimal commas, `0.5`, `1,234.5` and `1,234,567`
    decimal points. `1,234` may be either: between semicolons and tabs its comma
    is one of decimals, as where people write such; between commas, or beside
    decimal points, one of thousands. `1.234` has one of thousands beside
    decimal commas only, and not between commas.

    Args:
        cells: What stands in a table, without its header.
        separator: What stands between two of them.
        decimal: The decimal mark, if it is known.

    Returns:
        `"."`, also where both are plain, or `","`; and a boolean.
    """
    # Each once: most tables repeat theirs.
    found = {cell for cell in set(cells) if _A_MARK.search(cell)}
    either = {cell for cell in found if _EITHER.fullmatch(cell)}
    plain = found - either
    if separator == ",":
        plain |= {cell for cell in either if "." in cell}
    commas = any("," in cell for cell in either)
    if decimal is None:
        comma = (commas and separator != ",") or _any(_WITH_COMMA, plain)
        decimal = "," if comma and not _any(_WITH_POINT, plain) else "."
    other = "," if decimal == "." else "."
    return decimal, _any(_SPACED, plain) or _any(_THOUSANDS[other], found)


_A_MARK = re.compile(rf"\d[.,{SPACES}]\d|^[+-]?[.,]\d")


def _any(pattern, cells):
    return any(map(pattern.fullmatch, cells))
