"""The settings in which members differ, each held in a variable."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.population.settings.member_number import (
    DTYPE,
    MemberChoice,
    MemberNumber,
)
from tfcourse.tuning.population.settings.setting import Kind, Setting, Value

Values = Sequence[Value | None]


@dataclasses.dataclass
class _OfKind:
    """What members of one kind have at a place.

    Attributes:
        first: The value of the first of them.
        slots: For each number where it stands in the vector, or None if it is
            the same for all of them.
    """

    first: Value
    slots: list[int | None]


@dataclasses.dataclass
class _Place:
    """A setting in which members differ.

    Attributes:
        index: The how manyth setting it is.
        values: Those of the members that have it.
        kinds: Their kinds, in the order in which they are numbered.
        choice: Where the number of the kind stands in the vector, or None.
    """

    index: int
    values: list[Value]
    kinds: dict[Hashable, _OfKind]
    choice: int | None

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1

    def accepts(self, value: Value) -> bool:
        """Whether a further member may have a value."""
        known = self.kinds.get(value.kind)
        return known is not None and all(
            slot is not None or a == b
            for slot, a, b in zip(
                known.slots, value.numbers, known.first.numbers, strict=True
            )
        )


class VariedSettings:
    """Those of some members' settings that are not the same for all.

    Args:
        members: Of each member the values of its settings, in the same order;
            None is one of a part that it does not use.

    Attributes:
        variable: A variable that holds a member's own ones, or None.
    """

    def __init__(self, members: list[Values]) -> None:
        self._size = 0
        self._known: list[_Place] = [
            self._place(i, [v for v in column if v is not None])
            for i, column in enumerate(zip(*members, strict=True))
        ]
        self._places = [place for place in self._known if place.differs]
        self.variable: Any = self._places and keras.Variable(
            keras.initializers.Zeros(),
            (self._size,),
            DTYPE,
            trainable=False,
            name="settings",
        )

    def __bool__(self) -> bool:
        return bool(self._places)

    @property
    def variables(self) -> list[Any]:
        """The variable, if there is one."""
        return [self.variable] if self._places else []

    def accepts(self, values: Values) -> bool:
        """Whether a further member fits in: the rest is as that of others."""
        return len(values) == len(self._known) and all(
            value is None or place.accepts(value)
            for place, value in zip(self._known, values, strict=True)
        )

    def row(self, values: Values) -> np.ndarray:
        """Returns the value of the variable for a member."""
        row = np.zeros(self._size, DTYPE)
        for place in self._places:
            own = values[place.index] or place.values[0]
            for number, (kind, known) in enumerate(place.kinds.items()):
                if kind == own.kind and place.choice is not None:
                    row[place.choice] = number
                value = own if kind == own.kind else known.first
                for slot, x in zip(known.slots, value.numbers, strict=True):
                    if slot is not None:
                        row[slot] = x
        return row

    def widen(self, settings: list[Setting]) -> None:
        """Changes what has the settings, before it is built, to serve all."""
        for place in self._places:
            setting = settings[place.index]
            setting.form.widen(setting.owner, setting.name, place.values)

    def install(self, settings: Sequence[Any]) -> None:
        """Lets what has the settings compute with those of a member."""
        for place in self._places:
            setting = settings[place.index]
            choice = None
            if place.choice is not None:
                choice = MemberChoice(self._number(place.choice))
            kinds = [self._kind(*item) for item in place.kinds.items()]
            setting.form.install(setting.owner, setting.name, kinds, choice)

    def _place(self, index: int, values: list[Value]) -> _Place:
        kinds: dict[Hashable, list[Value]] = {}
        for value in values:
            kinds.setdefault(value.kind, []).append(value)
        choice = self._slot() if len(kinds) > 1 else None
        of_kinds = {
            kind: _OfKind(some[0], self._slots(some))
            for kind, some in kinds.items()
        }
        return _Place(index, values, of_kinds, choice)

    def _slots(self, values: list[Value]) -> list[int | None]:
        columns = zip(*(value.numbers for value in values), strict=True)
        return [self._slot() if len(set(c)) > 1 else None for c in columns]

    def _slot(self) -> int:
        self._size += 1
        return self._size - 1

    def _kind(self, name: Hashable, known: _OfKind) -> Kind:
        numbers = [
            x if slot is None else self._number(slot)
            for slot, x in zip(known.slots, known.first.numbers, strict=True)
        ]
        return Kind(name, numbers, known.first.source)

    def _number(self, slot: int) -> MemberNumber:
        variable: Any = self.variable
        return MemberNumber(lambda: variable.value[slot])
