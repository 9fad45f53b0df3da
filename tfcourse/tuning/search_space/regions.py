"""Where in a search space to draw: a box, on each hyperparameter's own scale.

A position on a scale is a number in [0, 1]: the share of the hyperparameter's
draws that lie below. keras-tuner turns positions into values.
"""

import dataclasses
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np

from tfcourse.tuning._keras_tuner import hyperparameters as kinds
from tfcourse.tuning.search_space.scales import scale_of, to_display

# A hyperparameter of keras-tuner, of any class.
Parameter = kinds.HyperParameter


@dataclasses.dataclass(frozen=True)
class Region:
    """The part of one hyperparameter's range to draw from.

    Attributes:
        low: Lower end, a position on its scale; unused for categories.
        high: Upper end.
        values: The categories, or `None` where there are none.
    """

    low: float = 0.0
    high: float = 1.0
    values: tuple[Any, ...] | None = None

    @classmethod
    def whole(cls, parameter: Parameter) -> "Region":
        """Returns the region that is the whole range."""
        return cls(values=categories(parameter))

    @classmethod
    def around(
        cls,
        parameter: Parameter,
        best: Sequence[Any],
        margin: float,
        widest: float,
        least: float,
    ) -> "Region":
        """Returns the region around the best values.

        Args:
            parameter: The keras-tuner hyperparameter.
            best: Its values in the best trials, the best first.
            margin: What to add on either side, as a share of the width.
            widest: The largest width; what is wider is cut to it, with the
                best value as near to the middle as it can be.
            least: The smallest width.
        """
        every = categories(parameter)
        if every is not None:
            return cls(values=_seen(parameter, every, best))
        positions = np.array([position(parameter, value) for value in best])
        low, high = positions.min(), positions.max()
        spread = margin * (high - low)
        low, high = low - spread, high + spread
        if high - low > widest:
            low = np.clip(positions[0] - widest / 2, low, high - widest)
            high = low + widest
        missing = max(least - (high - low), 0.0)
        low, high = low - missing / 2, high + missing / 2
        return cls(float(max(low, 0.0)), float(min(high, 1.0)))

    def draw(self, parameter: Parameter, uniform: float) -> Any:
        """Returns the value for a uniform number in [0, 1)."""
        if self.values is not None:
            return self.values[int(uniform * len(self.values))]
        return value_at(parameter, self.low + uniform * (self.high - self.low))

    def describe(self, parameter: Parameter) -> dict[str, Any]:
        """Returns the region as a person and as a program read it, a dict."""
        name, _ = to_display(parameter.name, 0)
        description = {
            "name": name,
            "registered": parameter.name,
            "when": conditions(parameter),
        }
        if self.values is not None:
            return {
                **description,
                "axis": "category",
                "values": list(self.values),
            }
        ends = [
            to_display(parameter.name, value_at(parameter, p))[1]
            for p in (self.low, self.high)
        ]
        return {
            **description,
            "axis": scale_of(parameter.name, parameter.sampling),
            "low": min(ends),
            "high": max(ends),
            "positions": [self.low, self.high],
        }

    @classmethod
    def from_description(
        cls, description: dict[str, Any]
    ) -> tuple[int, "Region"]:
        """Returns the `key` and the region of a description by `describe`."""
        key = _key(description["registered"], description["when"])
        if "values" in description:
            return key, cls(values=tuple(description["values"]))
        return key, cls(*description["positions"])


def categories(parameter: Parameter) -> tuple[Any, ...] | None:
    """Returns the values among which to choose, or `None` for a range."""
    if isinstance(parameter, kinds.Fixed):
        return (parameter.value,)
    if isinstance(parameter, kinds.Boolean):
        return (False, True)
    if isinstance(parameter, kinds.Choice):
        return tuple(parameter.values)
    return None


def value_at(parameter: Parameter, position: float) -> Any:
    """Returns the value at a position, ends included."""
    # A whole number lies at the lower end of its share of the positions.
    return parameter.prob_to_value(min(max(position, 0.0), 1 - 1e-12))


def position(parameter: Parameter, value: float) -> float:
    """Returns where a value of a range lies on its scale."""
    if parameter.step is not None and parameter.sampling == "linear":
        # keras-tuner takes the whole part of 2.9999999999999996 steps.
        value = value + parameter.step / 2
    return min(max(parameter.value_to_prob(value), 0.0), 1.0)


def nearest(parameter: Parameter, value: Any) -> Any:
    """Returns the value of the hyperparameter that is meant by `value`.

    Raises:
        ValueError: If there is none.
    """
    every = categories(parameter)
    if every is not None:
        for own in every:
            if _same(own, value):
                return own
        raise ValueError(f"must be one of {list(every)}")
    if isinstance(value, (bool, str)) or not math.isfinite(value):
        raise ValueError("must be a number")
    low, high = parameter.min_value, parameter.max_value
    slack = 1e-9 * max(abs(low), abs(high))
    if not low - slack <= value <= high + slack:
        bounds = sorted(
            to_display(parameter.name, end)[1] for end in (low, high)
        )
        raise ValueError("must lie in [{:g}, {:g}]".format(*bounds))
    value = min(max(value, low), high)
    if parameter.step is not None:
        found = value_at(parameter, position(parameter, value))
        if not math.isclose(found, value, rel_tol=1e-6, abs_tol=slack):
            raise ValueError(f"must be a multiple of the step, as {found} is")
        return found
    return int(value) if isinstance(parameter, kinds.Int) else float(value)


def _same(own, value):
    if isinstance(own, float) and isinstance(value, (int, float)):
        # A chief and its workers exchange floats of 32 bits.
        return math.isclose(own, value, rel_tol=1e-6)
    return own == value and isinstance(own, bool) == isinstance(value, bool)


def conditions(parameter: Parameter) -> dict[str, list[Any]]:
    """Returns the parents of a hyperparameter, with the values it needs."""
    return {c.name: list(c.values) for c in parameter.conditions}


def key(parameter: Parameter) -> int:
    """Returns an integer for a hyperparameter, the same in every process."""
    return _key(parameter.name, conditions(parameter))


def _key(name, when):
    # Not 0, of which `SeedSequence` takes no notice at the end.
    return zlib.crc32(json.dumps([name, when]).encode()) or 1


def is_active(parameter: Parameter, values: Mapping[str, Any]) -> bool:
    """Returns whether a trial with these values has the hyperparameter."""
    return parameter.name in values and all(
        condition.is_active(values) for condition in parameter.conditions
    )


def fill(
    space: Iterable[Parameter], value_of: Callable[[Parameter], Any]
) -> dict[str, Any]:
    """Returns the values of a trial, those of active hyperparameters only.

    Args:
        space: A list of keras-tuner hyperparameters, parents before children.
        value_of: A function from such a hyperparameter to its value.
    """
    hp = keras_tuner.HyperParameters()
    for parameter in space:
        hp.merge([parameter])
        if hp.is_active(parameter):
            hp.values[parameter.name] = value_of(parameter)
    return hp.values


def points(space: Iterable[Parameter]) -> Iterator[dict[str, Any]]:
    """Yields the points of a space; where a range is endless, some of them."""

    def walk(values, rest):
        if not rest:
            yield values
            return
        first, *rest = rest
        if not all(c.is_active(values) for c in first.conditions):
            yield from walk(values, rest)
            return
        for value in every_value(first):
            yield from walk({**values, first.name: value}, rest)

    return walk({}, list(space))


def every_value(parameter: Parameter) -> Iterable[Any]:
    """Returns the values of a hyperparameter, some of them if it is endless."""
    every = categories(parameter)
    if every is not None:
        return every
    if parameter.step is None and isinstance(parameter, kinds.Int):
        return range(parameter.min_value, parameter.max_value + 1)
    n = len(list(parameter.values))
    return [value_at(parameter, (i + 0.5) / n) for i in range(n)]


def _seen(parameter, every, best):
    indices = [every.index(nearest(parameter, value)) for value in best]
    if getattr(parameter, "ordered", False):
        # Between two good sizes lie good sizes.
        return every[min(indices) : max(indices) + 1]
    return tuple(own for i, own in enumerate(every) if i in indices)
