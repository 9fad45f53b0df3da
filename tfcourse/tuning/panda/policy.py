"""Babysitting, written down: functions from the journal to nudges."""

import itertools
from collections.abc import Sequence
from typing import Any

from tfcourse.utils.validation import check_number

_RATES = ("learning_rate", "initial_learning_rate")


def daily_nudge(
    journal: Sequence[dict[str, Any]],
    up: float = 1.05,
    down: float = 0.5,
    days: int = 3,
    tolerance: float = 0.02,
) -> dict[str, float]:
    r"""Returns the nudge that the lecture gives its model each day.

    With $\ell_1, \dots, \ell_n$ the losses of the periods since the last
    nudge, a day went badly if $\ell_n > (1 + \text{tolerance}) \ell_{n-1}$
    (with $|\ell_{n-1}|$ in the margin, should it be negative): the learning
    rate is multiplied by `down`. If it fell on each of the last `days`
    periods, it is multiplied by `up`. Otherwise nothing is done.

    `keras.callbacks.ReduceLROnPlateau` only lowers the rate, and only once the
    loss has stopped falling.

    Args:
        journal: What `Panda` gives to its policy: the entries of the periods
            so far, dicts with `metrics` and `hyperparameters`.
        up: In [1, inf).
        down: In (0, 1].
        days: A whole number in [1, inf).
        tolerance: In [0, inf), a share of the loss.

    Returns:
        A dict from a hyperparameter to its new value; empty for no nudge.

    Raises:
        ValueError: If a setting lies outside its interval.

    Example:

    >>> days = [
    ...     {"metrics": {"loss": x}, "hyperparameters": {"learning_rate": 0.1}}
    ...     for x in (0.9, 0.7, 0.6, 0.5)
    ... ]
    >>> daily_nudge(days, up=1.5)
    {'learning_rate': 0.15000000000000002}
    >>> daily_nudge(days[:1] + days)
    {'learning_rate': 0.10500000000000001}
    >>> panda = Panda("runs/digits", policy=daily_nudge)

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Hyperparameters tuning in
        practice: Pandas vs. Caviar.
    """
    for name, value, interval in [
        ("up", up, "[1, inf)"),
        ("down", down, "(0, 1]"),
        ("days", days, "[1, inf)"),
        ("tolerance", tolerance, "[0, inf)"),
    ]:
        check_number(value, name, "daily_nudge", interval)
    if not journal:
        return {}
    settings = journal[-1]["hyperparameters"]
    name = next((name for name in _RATES if name in settings), None)
    if name is None:
        return {}
    losses = _since_the_last_nudge(journal, name)
    if len(losses) < 2:
        return {}
    before, last = losses[-2:]
    if not last <= before + tolerance * abs(before):
        return {name: down * settings[name]}
    recent = losses[-days - 1 :]
    falls = all(b < a for a, b in itertools.pairwise(recent))
    if len(recent) == days + 1 and falls:
        return {name: up * settings[name]}
    return {}


def _since_the_last_nudge(
    journal: Sequence[dict[str, Any]], name: str
) -> list[float]:
    """Returns the losses under the present learning rate.

    The first of them is that of the last period under the one before, from
    which the present rate set out.
    """
    rate = journal[-1]["hyperparameters"].get(name)
    losses = []
    for entry in reversed(journal):
        if "loss" in entry["metrics"]:
            losses.append(entry["metrics"]["loss"])
        if entry["hyperparameters"].get(name) != rate:
            break
    return losses[::-1]
