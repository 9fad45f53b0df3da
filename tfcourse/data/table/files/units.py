"""Numbers with a sign of a currency, of percent or of degrees beside them."""

import collections
import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

_DEGREES = ("%", "‰", "°", "°C", "°F")
_CODES = (
    *("AUD", "BRL", "CAD", "CHF", "CNY", "DKK", "EUR", "GBP", "HKD", "INR"),
    *("JPY", "KRW", "MXN", "NOK", "NZD", "PLN", "RMB", "SEK", "SGD", "USD"),
    *("元", "円", "kr", "R$", "US$", "Rs"),
)
_NUMBER = r"\d[\d.,'\s]*"
_BEFORE = re.compile(rf"[+-]?\s*(?P<unit>\D+?)\s*[+-]?{_NUMBER}")
_BEHIND = re.compile(rf"[+-]?{_NUMBER}(?P<unit>\D+)")


def unit_of(words: Iterable[str]) -> str | None:
    """Returns the sign that at least half of some words have beside a number.

    Args:
        words: What stands in a column.

    Example:

    >>> (
    ...     unit_of(["$1.50", "$ 2", "-$3"]),
    ...     unit_of(["5%", "7 %"]),
    ...     unit_of(["Q1"]),
    ... )
    ('$', '%', None)
    """
    words = list(words)
    found = collections.Counter(
        unit for word in words if (unit := _unit(word)) is not None
    )
    unit, count = (found.most_common(1) or [(None, 0)])[0]
    return unit if 2 * count >= len(words) else None


def without_unit(cells: "pyarrow.Array", unit: str) -> "pyarrow.Array":
    """Returns text without its unit; what has none is then no number.

    Args:
        cells: Text.
        unit: As of `unit_of`.
    """
    import pyarrow.compute as pc

    with_it = pc.match_substring(cells, unit)
    escaped = re.escape(unit)
    plain = pc.replace_substring_regex(
        cells, rf"^([+-]?)\s*{escaped}\s*", r"\1"
    )
    plain = pc.replace_substring_regex(plain, rf"\s*{escaped}$", "")
    other = pc.match_substring_regex(cells, r"^[+-]?[\d.,]")
    marked = pc.replace_substring_regex(cells, "^", "no unit: ")
    return pc.if_else(with_it, plain, pc.if_else(other, marked, cells))


def _unit(word):
    match = _BEFORE.fullmatch(word) or _BEHIND.fullmatch(word)
    unit = match and match["unit"].strip()
    if not unit:
        return None
    money = len(unit) == 1 and unicodedata.category(unit) == "Sc"
    return unit if money or unit in _DEGREES or unit in _CODES else None
