"""Optimizers of members: which each has, and with which settings."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.population.functional.keras_optimizers import (
    build_noting_slots,
    functional_copy,
)
from tfcourse.tuning.population.functional.switched import SwitchedOptimizer
from tfcourse.tuning.population.settings.reading import optimizer_settings
from tfcourse.tuning.population.settings.setting import Setting, Value
from tfcourse.tuning.population.settings.varied import VariedSettings
from tfcourse.utils.keras_private import deferred_initialization

# Of an optimizer's variables, by index, which are slots: the index of their
# parameter, and their name.
Slots = dict[int, tuple[int, str]]


class OptimizerSettings:
    """Those of members whose optimizers are of one kind.

    Args:
        members: The settings of each member's optimizer.
    """

    def __init__(self, members: list[list[Setting]]) -> None:
        self._varied = VariedSettings([_values(m) for m in members])

    def __bool__(self) -> bool:
        return bool(self._varied)

    @property
    def variables(self) -> list[Any]:
        """Variables of a member beside those of the optimizer."""
        return self._varied.variables

    def accepts(self, settings: list[Setting]) -> bool:
        """Whether the optimizer of a further member fits in."""
        return self._varied.accepts(_values(settings))

    def row(self, settings: list[Setting]) -> np.ndarray:
        """Returns the value of the variable for a member."""
        return self._varied.row(_values(settings))

    def widen(self, optimizer: Any) -> None:
        """Changes an optimizer, not yet built, to have all slots."""
        self._varied.widen(optimizer_settings(optimizer))

    def install_into(self, optimizer: Any) -> None:
        """Lets an optimizer compute with the settings of a member."""
        self._varied.install(optimizer_settings(optimizer))


class MemberOptimizers:
    """The optimizers of members, of one kind or of several.

    Args:
        kinds: Of each member what its optimizer is, without settings.
        settings: Of each member those of its optimizer.

    Attributes:
        settings: Those in which members differ, if there is one kind.
    """

    def __init__(
        self, kinds: list[Hashable], settings: list[list[Setting]]
    ) -> None:
        members: dict[Hashable, list[list[Setting]]] = {}
        for kind, own in zip(kinds, settings, strict=True):
            members.setdefault(kind, []).append(own)
        self._of_kinds = {
            kind: OptimizerSettings(some) for kind, some in members.items()
        }
        self._optimizers: dict[Hashable, Any] = {}
        self._switched: SwitchedOptimizer | None = None
        # Of each kind, where its variables are among the template's.
        self._slots: dict[Hashable, Slots] = {}

    def __bool__(self) -> bool:
        return len(self._of_kinds) > 1 or any(self._of_kinds.values())

    @property
    def settings(self) -> OptimizerSettings:
        if len(self._of_kinds) > 1:
            # A `SwitchedOptimizer` has its own ones.
            return OptimizerSettings([])
        (settings,) = self._of_kinds.values()
        return settings

    def accepts(self, kind: Hashable, settings: list[Setting]) -> bool:
        """Whether the optimizer of a further member fits in."""
        own = self._of_kinds.get(kind)
        return own is not None and own.accepts(settings)

    def build(self, model: keras.Model, makes: list[Callable[[], Any]]) -> None:
        """Gives a model the optimizer, built, that serves all members.

        Args:
            model: The model, built.
            makes: For each kind a function that makes one.
        """
        makes = [lambda: model.optimizer] if len(makes) == 1 else makes
        for make, (kind, own) in zip(
            makes, self._of_kinds.items(), strict=True
        ):
            optimizer = make()
            if not optimizer.built:
                own.widen(optimizer)
                optimizer.build(model.trainable_variables)
            self._optimizers[kind] = optimizer
        if len(makes) > 1:
            model.optimizer = self._switched = SwitchedOptimizer(
                list(self._of_kinds),
                list(self._optimizers.values()),
                model.trainable_variables,
                list(self._of_kinds.values()),
            )

    def homes(
        self, template: keras.Model, kind: Hashable, count: int, slots: Slots
    ) -> list[Any]:
        """Returns in which variable each one of a member's optimizer is.

        Args:
            template: The model that was built.
            kind: The kind of the optimizer.
            count: How many variables it has.
            slots: What `build_noting_slots` gave for it.
        """
        homes = [self._home(v) for v in self._optimizers[kind].variables]
        if count == len(homes):
            return homes
        all_slots = self._noted(kind, template)
        places = {slot: homes[i] for i, slot in all_slots.items()}
        others = (home for i, home in enumerate(homes) if i not in all_slots)
        return [
            places[slots[i]] if i in slots else next(others)
            for i in range(count)
        ]

    def parameters_of_slots(self, template: keras.Model) -> dict[int, int]:
        """Returns of which parameter each variable that is a slot is, by id."""
        found = {}
        for kind, optimizer in self._optimizers.items():
            for i, (parameter, _) in self._noted(kind, template).items():
                found[id(self._home(optimizer.variables[i]))] = parameter
        return found

    def _noted(self, kind: Hashable, template: keras.Model) -> Slots:
        if kind not in self._slots:
            with deferred_initialization():
                copy = functional_copy(self._optimizers[kind])
                self._slots[kind] = build_noting_slots(
                    copy, template.trainable_variables
                )
        return self._slots[kind]

    def own_values(
        self, kind: Hashable, settings: list[Setting]
    ) -> Iterator[tuple[Any, np.ndarray]]:
        """Yields variables, and with what they begin for a member."""
        if self._switched is not None:
            # Slots may begin at another number than those of other kinds.
            for variable in self._optimizers[kind].variables:
                value: Any = keras.ops.convert_to_numpy(variable)
                yield self._home(variable), value
        yield from self.choices(kind, settings)

    def choices(
        self, kind: Hashable, settings: list[Setting]
    ) -> Iterator[tuple[Any, np.ndarray]]:
        """Yields the variables that say which optimizer, and its settings."""
        if self._switched is not None:
            chosen = [one == kind for one in self._of_kinds]
            yield self._switched.choice, np.array(chosen, "float32")
        for variable in self._of_kinds[kind].variables:
            yield variable, self._of_kinds[kind].row(settings)

    def _home(self, variable: Any) -> Any:
        if self._switched is None:
            return variable
        return self._switched.home(variable)


def _values(settings: list[Setting]) -> list[Value]:
    return [setting.value for setting in settings]
