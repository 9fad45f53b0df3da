"""The checks of arguments: one for a number, one for a flag, and so on.

A value of the wrong type is a `TypeError`, one outside what is allowed a
`ValueError`. Both name the argument, its owner, what is allowed and what was
received.
"""

import difflib
import numbers
import operator
from collections.abc import Iterable
from typing import Any

from tfcourse.utils.text import shortened


class Interval:
    """A range of real numbers, in the notation of mathematics.

    Args:
        notation: Such as `"[0, 1)"`: a square bracket includes the end, a round
            one excludes it.
    """

    def __init__(self, notation: str) -> None:
        self._notation = notation
        self._low, self._high = map(float, notation[1:-1].split(","))
        self._above = operator.ge if notation[0] == "[" else operator.gt
        self._below = operator.le if notation[-1] == "]" else operator.lt

    def __contains__(self, value: Any) -> bool:
        return self._above(value, self._low) and self._below(value, self._high)

    def __str__(self) -> str:
        return self._notation


def check_number(
    value: object, name: str, owner: str, interval: str | Interval
) -> None:
    """Raises unless `value` is a real number in `interval`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"`{name}` of {owner} must be a number in {interval}. Received: "
            f"{name}={value!r}"
        )
    if isinstance(interval, str):
        interval = Interval(interval)
    if value not in interval:
        raise ValueError(
            f"`{name}` of {owner} must lie in {interval}. Received: "
            f"{name}={value}"
        )


def check_integer(
    value: object, name: str, owner: str | None = None, least: int | None = 1
) -> None:
    """Raises unless `value` is a whole number of `least` or more.

    Args:
        value: What was given.
        name: Of the argument.
        owner: The class or function whose argument it is; `None` where only
            one can be meant.
        least: The smallest allowed, or `None` if all are.

    Raises:
        TypeError: If it is not a whole number. A bool is none.
        ValueError: If it is smaller.
    """
    argument = f"`{name}` of {owner}" if owner else f"`{name}`"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        bound = "" if least is None else f", {least} or more"
        raise TypeError(
            f"{argument} must be a whole number{bound}. Received: "
            f"{name}={value!r}"
        )
    if least is not None and int(value) < least:
        raise ValueError(
            f"{argument} must be at least {least}. Received: {name}={value}"
        )


def check_flag(value: object, name: str, owner: str) -> None:
    """Raises a `TypeError` unless `value` is a bool: `"no"` would be true."""
    if not isinstance(value, bool):
        raise TypeError(
            f"`{name}` of {owner} must be True or False. Received: "
            f"{name}={value!r}"
        )


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Returns the sentence that says `name` is unknown and what is near it."""
    known = list(known)
    near = [one for one in known if one.casefold() == name.casefold()]
    near = near or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    shown = map(shortened, known[:20])
    more = f" and {len(known) - 20} more" if len(known) > 20 else ""
    return (
        f"There is no {what} {name!r}.{hint} Known: {', '.join(shown)}{more}."
    )
