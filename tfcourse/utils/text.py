"""Errors, numbers and lists of names, as sentences and tables show them."""

import html
import re
from collections.abc import Iterable

_BOLD = re.compile(r"\x1b\[[01]m")
# What a terminal obeys instead of showing it (C0 but tab and line feed, DEL,
# C1), what turns the direction of writing, and halves of code points, which
# stand for bytes of a name that is no UTF-8.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""Returns text that a terminal shows and does not obey.

    What would move the cursor, colour, delete, ring or turn the direction of
    writing is written as Python does: an escape becomes `\x1b`.
    """
    return _OBEYED.sub(lambda match: ascii(match[0])[1:-1], text)


def escaped(text: object) -> str:
    """Returns text that plotly and the browser show as it is."""
    return html.escape(str(text), quote=False)


def without_mathtext(text: str) -> str:
    """Returns text that matplotlib shows as it is: no `$` begins a formula."""
    return text.replace("$", r"\$")


def first_line(error: object) -> str:
    """Returns the first line that says what is wrong, or `""`.

    Keras heads the message of a layer with one that names the layer only, and
    TensorFlow others with one that ends with a colon, and with the calls that
    led to an operation.

    Args:
        error: An exception, or its text.
    """
    lines = [line.strip() for line in _BOLD.sub("", str(error)).splitlines()]
    reasons = [
        line
        for line in lines
        if line
        and "encountered when" not in line
        and not line.endswith(":")
        and not line.startswith('File "')
    ]
    return next(iter(reasons or lines), "")


def in_a_line(text: str) -> str:
    """Returns a text without line breaks."""
    return " ".join(text.split())


def duration(seconds: float) -> str:
    """Returns a time as a person says it: `"2 h 5 min"`, `"3.5 s"`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.2g} s"


def listed(
    names: Iterable[object], noun: str | None = None, at_most: int = 8
) -> str:
    """Returns some names as text, `noun` before them in its right form."""
    names = list(names)
    text = ", ".join(repr(str(name)) for name in names[:at_most])
    if len(names) > at_most:
        text += f" and {len(names) - at_most} more"
    if noun:
        return f"{noun}{'s' if len(names) > 1 else ''} {text}"
    return text


def shortened(text: str, at_most: int = 50) -> str:
    """Returns text, its end left out if it is long."""
    return text if len(text) <= at_most else f"{text[: at_most - 1]}…"


def format_value(value: object) -> str:
    """Returns a value of a hyperparameter or a score as text to read."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    # Four digits of 1 - β distinguish 0.9990 from 0.9995.
    return f"{value:.6g}" if 0.9 < value < 1 else f"{value:.4g}"


def format_score(score: float) -> str:
    """Returns a score with four digits."""
    return f"{score:.4g}"
