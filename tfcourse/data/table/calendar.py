"""Dates written as text, to seconds since 1970."""

import re

import numpy as np

ORDERS = ("ymd", "dmy", "mdy")

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_TIME = (
    r"(?:[T ,]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}(?:\.\d+)?))?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_WEEKDAY = r"(?:[A-Za-z]{3,9},?\s+)?"
_NAME = r"(?P<m>[A-Za-z]{3,9})"
_YEAR_FIRST = re.compile(
    r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?" + _TIME
)
_YEAR_LAST = re.compile(
    r"(?P<a>\d{1,2})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<y>\d{4})" + _TIME
)
# 5 January 2024, 05-Jan-2024, Fri, 05 Jan 2024; January 5, 2024.
_DAY_NAME = re.compile(
    rf"{_WEEKDAY}(?P<d>\d{{1,2}})[-. ]\s*{_NAME}[-., ]\s*(?P<y>\d{{4}})"
    rf"{_TIME}"
)
_NAME_DAY = re.compile(
    rf"{_WEEKDAY}{_NAME}\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+"
    rf"(?P<y>\d{{4}}){_TIME}"
)
# Such as could be dates, but for what they leave open.
_UNCLEAR = {
    "a year of two digits": re.compile(
        r"(?:\d{1,2}([-/.])\d{1,2}\1|\d{1,2}[- ][A-Za-z]{3}[- ])\d{2}" + _TIME
    ),
    "a time, not a day": re.compile(
        r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s*[AaPp]\.?[Mm]\.?)?"
    ),
}


def looks_like_date(text: str) -> bool:
    """Returns whether text is written as dates are."""
    return _match(text) is not None


def what_is_unclear(text: str) -> str | None:
    """Returns what keeps text from being a date, if little does."""
    return next(
        (what for what, form in _UNCLEAR.items() if form.fullmatch(text)), None
    )


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
        texts: As people write them: `2024-02-29`, `29.2.2024 12:30`,
            `Feb 29, 2024 1:30 PM`. A time without a zone is taken as UTC.
        order: One of `ORDERS`, of the dates that do not begin with the year.

    Returns:
        float64, shape `(m,)`.
    """
    unique, places = np.unique(texts.astype(str), return_inverse=True)
    seconds = [_seconds(text, order) for text in unique.tolist()]
    return np.array(seconds, dtype="float64")[places]


def _match(text):
    forms = (_YEAR_FIRST, _YEAR_LAST, _DAY_NAME, _NAME_DAY)
    found = next(filter(None, (form.fullmatch(text) for form in forms)), None)
    named = found and found.re in (_DAY_NAME, _NAME_DAY)
    return None if named and _month(found["m"]) is None else found


def _seconds(text, order):
    match = _match(text)
    if not match or (match.re is _YEAR_LAST and order not in ("dmy", "mdy")):
        return np.nan
    year, month, day = _parts(match, order)
    hour, minute = _hour(match), int(match["minute"] or 0)
    second = float(match["second"] or 0)
    if hour is None or minute > 59 or second >= 60:
        return np.nan
    try:
        date = np.datetime64(f"{year:04}-{month:02}-{day:02}")
    except ValueError:  # A 30th of February.
        return np.nan
    days = int((date - np.datetime64("1970-01-01")).astype(int))
    of_day = hour * 3600 + minute * 60 + second
    return days * 86400 + of_day - _offset(match["zone"])


def _parts(match, order):
    """Returns year, month and day."""
    if match.re is _YEAR_LAST:
        first, second = int(match["a"]), int(match["b"])
        days_first = order == "dmy"
        day, month = (first, second) if days_first else (second, first)
    else:
        month, day = _month(match["m"]), int(match["d"])
    return int(match["y"]), month, day


def _month(text):
    """Returns the number of a month, also of its first letters."""
    if text.isdecimal():
        return int(text)
    word = text.lower()
    short = {"sept": 9}.get(word)
    return short or next(
        (
            number
            for number, name in enumerate(_MONTHS, 1)
            if word in (name, name[:3])
        ),
        None,
    )


def _hour(match):
    """Returns the hour, `None` for one that is none."""
    hour = int(match["hour"] or 0)
    if not match["half"]:
        return hour if hour <= 23 else None
    afternoon = match["half"] in "Pp"
    return hour % 12 + 12 * afternoon if 1 <= hour <= 12 else None


def _offset(zone):
    if zone in (None, "Z", "UTC", "GMT"):
        return 0
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)
