"""Dates written as text, to seconds since 1970."""

import re

import numpy as np

ORDERS = ("ymd", "dmy", "mdy")

_TIME = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}(?:\.\d+)?))?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_YEAR_FIRST = re.compile(
    r"(?P<a>\d{4})[-/.年](?P<b>\d{1,2})[-/.月](?P<c>\d{1,2})日?" + _TIME
)
_YEAR_LAST = re.compile(
    r"(?P<a>\d{1,2})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{4})" + _TIME
)


def looks_like_date(text: str) -> bool:
    """Returns whether text is written as dates are."""
    return bool(_YEAR_FIRST.fullmatch(text) or _YEAR_LAST.fullmatch(text))


def order_of(texts: np.ndarray) -> str | None:
    """Returns in which order dates have day, month and year.

    Args:
        texts: Dates, as text.

    Returns:
        `"ymd"`, `"dmy"` or `"mdy"`; `None` where both of the last are possible.
    """
    matches = [match for t in texts if (match := _YEAR_LAST.fullmatch(t))]
    if not matches:
        return "ymd"
    # With points the day is first, wherever that is written.
    if any(int(m["a"]) > 12 or m["mark"] == "." for m in matches):
        return "dmy"
    return "mdy" if any(int(m["b"]) > 12 for m in matches) else None


def seconds_of_text(texts: np.ndarray, order: str | None) -> np.ndarray:
    """Returns the seconds since 1970 of dates, `NaN` for what is none.

    Args:
        texts: As people write them: `2024-02-29`, `29.2.2024 12:30`. A time
            without a zone is taken as UTC.
        order: One of `ORDERS`, of the dates that do not begin with the year.

    Returns:
        float64, shape `(m,)`.
    """
    unique, places = np.unique(texts.astype(str), return_inverse=True)
    seconds = [_seconds(text, order) for text in unique.tolist()]
    return np.array(seconds, dtype="float64")[places]


def _seconds(text, order):
    match = _YEAR_FIRST.fullmatch(text)
    if match:
        order = "ymd"
    else:
        match = _YEAR_LAST.fullmatch(text)
    if not match or (match.re is _YEAR_LAST and order not in ("dmy", "mdy")):
        return np.nan
    part = dict(zip(order, map(int, match.group("a", "b", "c")), strict=True))
    hour, minute = int(match["hour"] or 0), int(match["minute"] or 0)
    second = float(match["second"] or 0)
    if hour > 23 or minute > 59 or second >= 60:
        return np.nan
    try:
        day = np.datetime64(f"{part['y']:04}-{part['m']:02}-{part['d']:02}")
    except ValueError:  # A 30th of February.
        return np.nan
    days = int((day - np.datetime64("1970-01-01")).astype(int))
    of_day = hour * 3600 + minute * 60 + second
    return days * 86400 + of_day - _offset(match["zone"])


def _offset(zone):
    if zone in (None, "Z"):
        return 0
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)
