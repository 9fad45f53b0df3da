"""A hyperparameter's own scale as an axis of a plot."""

import math
from collections.abc import Sequence
from typing import Any

from tfcourse.tuning.results.axes import HyperparameterAxis
from tfcourse.utils.text import escaped

_PAD = 0.04


def plot_value(axis: HyperparameterAxis, value: Any) -> Any:
    """Returns a value as a number or name for the axis that `layout` gives."""
    if axis.kind == "category":
        return escaped(value)
    # Rounded because 1 - 0.9 is 0.09999999999999998.
    return round(1 - value, 15) if axis.kind == "one_minus_log" else value


def position(axis: HyperparameterAxis, value: Any) -> float:
    """Returns where a value lies between the ends of its scale, 0 to 1."""
    if axis.kind == "category":
        names = list(map(str, axis.values))
        # Of no use, but not a crash: a category that came from elsewhere.
        place = names.index(str(value)) if str(value) in names else 0
        return place / (len(names) - 1) if len(names) > 1 else 0.5
    low, high = (_straight(axis, bound) for bound in (axis.low, axis.high))
    return (_straight(axis, value) - low) / (high - low) if high > low else 0.5


def ticks(axis: HyperparameterAxis) -> list[Any]:
    """Returns the values to name on an axis, as a person reads them."""
    if axis.kind == "category":
        return list(axis.values)
    if axis.kind == "linear":
        return _linear_ticks(axis)
    low, high = sorted(
        [plot_value(axis, axis.low), plot_value(axis, axis.high)]
    )
    decades = math.log10(high / low)
    marks = _marks(axis, decades)
    every = max(1, round(decades / 6))
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    values = [
        float(f"{mark}e{exponent}")
        for exponent in range(first, last + 1, every)
        for mark in marks
        if low * 0.999 <= float(f"{mark}e{exponent}") <= high * 1.001
    ]
    values = values or [low, high]
    if axis.kind == "one_minus_log":
        return [round(1 - value, 12) for value in values[::-1]]
    return values


def tick_text(axis: HyperparameterAxis, value: Any) -> str:
    """Returns the name of a tick: 0.001, but 10⁻⁵."""
    if axis.kind == "log" and not 1e-4 < value < 1e5:
        mark, _, exponent = f"{value:.0e}".partition("e")
        power = f"10<sup>{int(exponent)}</sup>".replace("-", "−")
        return power if mark == "1" else f"{mark}·{power}"
    return escaped(f"{value:.12g}" if isinstance(value, float) else value)


def layout(axis: HyperparameterAxis, values: Sequence[Any]) -> dict[str, Any]:
    """Returns the settings of a plotly axis for a hyperparameter.

    Args:
        axis: The `HyperparameterAxis`.
        values: The values that are drawn; a point given by hand may lie
            outside the bounds.
    """
    title = {"title": {"text": escaped(axis.name)}}
    if axis.kind == "category":
        names = list(dict.fromkeys(escaped(v) for v in [*axis.values, *values]))
        return {
            **title,
            "type": "category",
            "categoryorder": "array",
            "categoryarray": names,
            "range": [-0.5, len(names) - 0.5],
        }
    straight = [_straight(axis, v) for v in [axis.low, axis.high, *values]]
    low, high = min(straight), max(straight)
    pad = _PAD * (high - low) or 0.5
    ends = [low - pad, high + pad]
    scale = "linear" if axis.kind == "linear" else "log"
    if axis.kind == "one_minus_log":
        # Ever closer to 1 to the right.
        ends = [-end for end in ends]
    marks = ticks(axis)
    return {
        **title,
        "type": scale,
        "range": ends,
        "tickangle": 0,
        "tickvals": [plot_value(axis, mark) for mark in marks],
        "ticktext": [tick_text(axis, mark) for mark in marks],
    }


def _marks(axis, decades):
    """Returns which multiples of each power of ten to name."""
    if decades > 1.7:
        return (1,)
    if decades > 1.1:
        # 0.95 and 0.995 read better than 0.97 and 0.997.
        return (1, 5) if axis.kind == "one_minus_log" else (1, 3)
    return (1, 2, 5) if decades > 0.4 else range(1, 10)


def _straight(axis, value):
    """Returns a value as a number on which its scale is uniform."""
    if axis.kind == "log":
        return math.log10(value)
    if axis.kind == "one_minus_log":
        return -math.log10(plot_value(axis, value))
    return float(value)


def _linear_ticks(axis):
    span = axis.high - axis.low
    if not span:
        return [axis.low]
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    if axis.integer:
        step = max(1, round(step))
    first, last = math.ceil(axis.low / step), math.floor(axis.high / step)
    values = [round(n * step, 12) for n in range(first, last + 1)]
    return [int(v) for v in values] if axis.integer else values
