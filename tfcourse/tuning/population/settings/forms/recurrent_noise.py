"""Dropout inside recurrent layers: masks that last for a whole sequence."""

import functools
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from tfcourse.tuning.population.settings.forms.noise import dropped, own_part
from tfcourse.tuning.population.settings.member_number import (
    MemberChoice,
    MemberNumber,
)
from tfcourse.tuning.population.settings.setting import Kind, Number, Value
from tfcourse.utils.keras_private import cells_with_masks, set_masks

INPUTS, STATES = "dropout", "recurrent_dropout"
# Whether a cell computes each gate by itself, with masks of its own.
_BY_GATES = "implementation", "dropout_mask_count"
# The attributes with variables, see `draw_masks_as_narrow`, and with whether
# the member's own cell has masks for each gate.
_PLACES = {INPUTS: "places_of_inputs", STATES: "places_of_states"}
_HAS_GATES = "member_has_gates"
# What only layers of each class have: how many gates there are.
_GATES = {"GRUCell": 3, "LSTMCell": 4}


class NoiseOfCell(Number):
    """A rate of dropout inside a recurrent layer.

    A cell with a rate of zero draws no numbers, and so others next: the state
    of its generator stays where it is. One that drops no states computes all
    gates at once, if it is not told otherwise, and has one mask for them.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        if name == STATES:
            self.attributes = (name, *_BY_GATES)

    def read(self, owner: Any, name: str) -> Value | None:
        rate = float(getattr(owner, name))
        if rate >= 1:
            return None
        if name != STATES:
            return Value((rate,))
        return Value((rate, float(getattr(owner, _BY_GATES[0], 0) == 1)))

    def install(
        self,
        owner: Any,
        name: str,
        kinds: list[Kind],
        choice: MemberChoice | None,
    ) -> None:
        rate, *gates = kinds[0].numbers
        vars(owner)[name] = rate
        if gates and isinstance(gates[0], MemberNumber):
            values = 1, _GATES[type(owner).__name__]
            vars(owner).update(zip(_BY_GATES, values, strict=True))
            vars(owner)[_HAS_GATES] = gates[0]
        set_masks(owner, functools.partial(_masks, owner))


def masks_drawn_by(layer: Any) -> Iterator[tuple[Any, str]]:
    """Yields the cells in a layer, and what they may have masks for."""
    for cell in cells_with_masks(layer):
        for name in (INPUTS, STATES):
            if getattr(cell, name):
                yield cell, name


def draw_masks_as_narrow(cell: Any, name: str, variable: Any) -> None:
    """Lets a cell draw masks for each member as if it had its features only.

    Args:
        cell: The cell.
        name: What the masks are for.
        variable: As for `draw_as_narrow`.
    """
    vars(cell)[_PLACES[name]] = variable
    set_masks(cell, functools.partial(_masks, cell))


def _masks(cell: Any, name: str, inputs: Any, count: int) -> list[Any]:
    """Returns the masks that the member's own cell draws."""
    rate = getattr(cell, name)
    ones: Any = ops.ones_like(inputs)
    state = cell.seed_generator.state
    masks, states = [], [state.value]
    for _ in range(count):
        drawn = keras.random.uniform(
            ops.shape(inputs), dtype=ones.dtype, seed=cell.seed_generator
        )
        drawn = own_part(drawn, vars(cell).get(_PLACES[name]))
        masks.append(dropped(ones, drawn, rate))
        states.append(state.value)
    after, has_gates = states[-1], vars(cell).get(_HAS_GATES)
    if name == INPUTS and has_gates is not None:
        several = has_gates.value > 0
        masks = [ops.where(several, mask, masks[0]) for mask in masks]
        after = ops.where(several, after, states[1])
    if isinstance(rate, MemberNumber):
        after = ops.where(rate.value > 0, after, states[0])
    state.assign(after)
    return masks
