"""Numbers of Keras's own optimizers that decide what is computed."""

import functools
import math
from typing import Any

from tfcourse.tuning.population.settings.member_number import MemberChoice
from tfcourse.tuning.population.settings.setting import (
    Form,
    Kind,
    Number,
    Value,
)
from tfcourse.utils.keras_private import CLIPS, clipped, set_clipping

# To divide by it and multiply with it again changes nothing.
_NO_NORM = 2.0**60
# For each of `CLIPS` a limit that nothing reaches.
_NONE = (_NO_NORM, _NO_NORM, math.inf)


class Widened(Number):
    """A number that decides, by being zero, which slots there are."""

    def widen(self, owner: Any, name: str, values: list[Value]) -> None:
        setattr(owner, name, max(value.numbers[0] for value in values))


class Optional(Widened):
    """A number that may be None, which is zero."""

    def read(self, owner: Any, name: str) -> Value | None:
        value = getattr(owner, name)
        return Value((0.0 if value is None else float(value),))


class Clipping(Form):
    """The three ways to clip gradients, of which an optimizer has one."""

    def __init__(self) -> None:
        super().__init__(*CLIPS)

    def read(self, owner: Any, name: str) -> Value | None:
        limits = (getattr(owner, clip) for clip in CLIPS)
        return Value(
            tuple(float(a or b) for a, b in zip(limits, _NONE, strict=True))
        )

    def widen(self, owner: Any, name: str, values: list[Value]) -> None:
        # The norm is that of one parameter: those may then not be joined.
        for i, clip in enumerate(CLIPS):
            lowest = min(value.numbers[i] for value in values)
            setattr(owner, clip, lowest if lowest < _NONE[i] else None)

    def install(
        self,
        owner: Any,
        name: str,
        kinds: list[Kind],
        choice: MemberChoice | None,
    ) -> None:
        limits = {
            clip: limit
            for clip, limit, none in zip(
                CLIPS, kinds[0].numbers, _NONE, strict=True
            )
            if limit != none
        }
        set_clipping(owner, functools.partial(clipped, owner, limits))
