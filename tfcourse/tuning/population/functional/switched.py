"""Several optimizers, of which each member has one."""

import collections
import functools
from collections.abc import Callable, Hashable
from typing import Any

import keras
from keras import ops

from tfcourse.tuning.population.functional.keras_optimizers import (
    build_noting_slots,
    functional_copy,
)
from tfcourse.tuning.population.functional.parameter_groups import (
    ParameterGroup,
)
from tfcourse.utils.keras_private import deferred_initialization


class SwitchedOptimizer:
    """Takes the place of a model's optimizer where members have several.

    For each number of a parameter an optimizer keeps one or two of its own, the
    slots, such as a velocity. As a member has one optimizer only, the first
    slots of all of them lie in the same variables, and so do the second.

    Args:
        kinds: For each optimizer, what distinguishes it.
        optimizers: The optimizers, built; their slots have the shapes and
            dtypes of the parameters.
        parameters: The parameters.
        settings: The `OptimizerSettings` of each.

    Attributes:
        choice: A variable with a 1 at the optimizer that a member has, and a 0
            at the others.
        variables: The choice, the slots, and all other variables.
    """

    built = True

    def __init__(
        self,
        kinds: list[Hashable],
        optimizers: list[Any],
        parameters: list[Any],
        settings: list[Any] | None = None,
    ) -> None:
        self.kinds = kinds
        self.optimizers = optimizers
        self.settings = settings or [None] * len(kinds)
        self.choice = keras.Variable(
            keras.initializers.Zeros(), (len(kinds),), trainable=False
        )
        self._homes: dict[int, Any] = {id(self.choice): self.choice}
        slots: dict[tuple[int, int], Any] = {}
        for optimizer in optimizers:
            with deferred_initialization():
                noted = build_noting_slots(
                    functional_copy(optimizer), parameters
                )
            places = _places(noted)
            for i, variable in enumerate(optimizer.variables):
                home = variable
                if i in places:
                    home = slots.setdefault(places[i], variable)
                self._homes[id(variable)] = home
        for variable in self.variables_of_settings:
            self._homes[id(variable)] = variable
        self.variables = list({id(v): v for v in self._homes.values()}.values())

    @property
    def variables_of_settings(self) -> list[Any]:
        """Those of all optimizers' settings."""
        return [v for some in self.settings if some for v in some.variables]

    def variables_of(self, number: int) -> list[Any]:
        """Returns those of an optimizer, and of its settings."""
        some = self.settings[number]
        own = some.variables if some else []
        return [*self.optimizers[number].variables, *own]

    def home(self, variable: Any) -> Any:
        """Returns which of `variables` holds that one of an optimizer."""
        return self._homes[id(variable)]


class SwitchedState:
    """The steps of several optimizers, of which a member takes one.

    Args:
        optimizer: The `SwitchedOptimizer`.
        each: Its optimizers, in the form of `functional_optimizer`.
        parameters: The `ParameterGroup`s that they update.
    """

    def __init__(
        self,
        optimizer: SwitchedOptimizer,
        each: list[Any],
        parameters: list[ParameterGroup],
    ) -> None:
        self._choice = keras.Variable(
            keras.initializers.Zeros(), optimizer.choice.shape, trainable=False
        )
        self._updated = [p.variable for p in parameters]
        self._each = each
        # What each computes in, which nobody reads afterwards.
        self.scratch = [v for one in each for v in one.variables]
        self._places = [_places(one.slots) for one in each]
        self._slots: dict[tuple[int, int], Any] = {}
        self.finishes = any(one.finishes for one in each)
        self.variables, self.groups = [self._choice], [[0]]
        numbers = {id(v): i for i, v in enumerate(optimizer.variables)}
        for k, (one, places) in enumerate(zip(each, self._places, strict=True)):
            original = optimizer.variables_of(k)
            for i, variable in enumerate(one.variables):
                if i in places:
                    if places[i] in self._slots:
                        continue
                    variable = keras.Variable(
                        keras.initializers.Zeros(),
                        variable.shape,
                        variable.dtype,
                        trainable=False,
                    )
                    self._slots[places[i]] = variable
                self.variables.append(variable)
                self.groups.append(
                    [
                        numbers[id(optimizer.home(original[n]))]
                        for n in one.groups[i]
                    ]
                )

    def scale_loss(self, loss: Any) -> Any:
        return loss

    def apply(self, gradients: list[Any]) -> None:
        self._take(lambda one: one.apply(gradients))

    def finish(self) -> None:
        self._take(lambda one: one.finish())

    def _take(self, action: Callable[[Any], None]) -> None:
        shared = [*self._updated, *self._slots.values()]
        # Not by `convert_to_tensor`, which gives TensorFlow's variables back.
        before = {id(variable): variable.value for variable in shared}
        choice: Any = ops.unstack(self._choice.value > 0)
        taken = dict(before)
        for k, is_chosen in enumerate(choice):
            new = self._stepped(k, action, before)
            for name, value in new.items():
                taken[name] = ops.where(is_chosen, value, taken[name])
        for variable in shared:
            variable.assign(taken[id(variable)])

    def _stepped(
        self, number: int, action: Callable[[Any], None], before: dict[int, Any]
    ) -> dict[int, Any]:
        """Lets an optimizer act on what was there before.

        Returns:
            What it makes of the parameters and of those slots that it has.
        """
        one, places = self._each[number], self._places[number]
        pairs = [(variable, variable) for variable in self._updated]
        for i, place in places.items():
            pairs.append((one.variables[i], self._slots[place]))
        for own, variable in pairs:
            own.assign(before[id(variable)])
        action(one)
        return {id(variable): own.value for own, variable in pairs}


class BranchedState(SwitchedState):
    """The same, where members come one at a time: one step is computed."""

    def _take(self, action: Callable[[Any], None]) -> None:
        # The scratch variables that are no slots, such as iterations, too.
        slots = {
            id(one.variables[i])
            for one, places in zip(self._each, self._places, strict=True)
            for i in places
        }
        others = [v for v in self.scratch if id(v) not in slots]
        known = [*self._updated, *self._slots.values(), *others]
        before = {id(variable): variable.value for variable in known}

        def branch(number: int) -> list[Any]:
            # What another branch has assigned is not to be seen here.
            for variable in others:
                variable.assign(before[id(variable)])
            new = self._stepped(number, action, before)
            new |= {id(variable): variable.value for variable in others}
            return [new.get(id(v), before[id(v)]) for v in known]

        branches = [
            functools.partial(branch, number)
            for number in range(len(self._each))
        ]
        taken: Any = ops.switch(ops.argmax(self._choice.value), branches)
        for variable, value in zip(known, taken, strict=True):
            variable.assign(value)


def _places(
    slots: dict[int, tuple[int, str]],
) -> dict[int, tuple[int, int]]:
    """Returns of which parameter a slot is, and the how manyth.

    Args:
        slots: What `build_noting_slots` returns.
    """
    counts: collections.Counter[int] = collections.Counter()
    places: dict[int, tuple[int, int]] = {}
    for i, (parameter, _) in sorted(slots.items()):
        places[i] = parameter, counts[parameter]
        counts[parameter] += 1
    return places
