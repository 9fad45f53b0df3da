"""One class, one spelling: `1`, `1.0` and the number 1 are the same class."""

import re
from typing import Any

# "007", "+7" and "1e3" are names, not numbers.
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_MOST_DIGITS = 15


def spelled(value: Any) -> str:
    """Returns a class or category as text, in the spelling that it has here.

    A number is written in the shortest way, so that a column of whole numbers
    is the same in a Parquet file that keeps it as floats.

    Args:
        value: Text, a number, a boolean, a date or bytes.

    Example:

    >>> [spelled(value) for value in (1, 1.0, "1.0", "1.50", "007", True)]
    ['1', '1', '1', '1.5', '007', 'True']
    """
    if isinstance(value, bytes):
        value = value.decode()
    # Exactly these: NumPy's are subclasses of Python's, or have `item`.
    value = value.item() if hasattr(value, "item") else value
    text = str(value).strip()
    if not _PLAIN_NUMBER.fullmatch(text):
        return text
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    if not decimals:
        return "0" if whole == "-0" else whole
    if len(whole) + len(decimals) > _MOST_DIGITS:
        return repr(float(text))
    return f"{whole}.{decimals}"
