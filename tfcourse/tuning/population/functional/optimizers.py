"""An optimizer as a function of the values of its variables."""

from typing import Any, Protocol

import keras
from keras import ops

from tfcourse.errors import CannotVectorize
from tfcourse.optimizers.base import is_kernel
from tfcourse.tuning.population.functional.keras_optimizers import (
    build_noting_slots,
    functional_copy,
)
from tfcourse.tuning.population.functional.parameter_groups import (
    ParameterGroup,
)
from tfcourse.tuning.population.functional.switched import (
    BranchedState,
    SwitchedOptimizer,
    SwitchedState,
)
from tfcourse.utils.keras_private import (
    decays,
    deferred_initialization,
    iterations_and_rate,
    set_decays,
)


def functional_optimizer(
    optimizer: Any,
    parameters: list[ParameterGroup],
    settings: Any = None,
    one_by_one: bool = False,
) -> "FunctionalOptimizer":
    """Returns a form of `optimizer` for use in a `StatelessScope`.

    Args:
        optimizer: A Keras optimizer; it is left as it is.
        parameters: The `ParameterGroup`s that it shall update.
        settings: The `OptimizerSettings` that it computes with, or None.
        one_by_one: Whether members come one at a time.

    Returns:
        The `FunctionalOptimizer`.

    Raises:
        CannotVectorize: If it averages gradients over several batches, or
            cannot be copied.
    """
    if isinstance(optimizer, SwitchedOptimizer):
        each = [
            _Plain(one, parameters, own)
            for one, own in zip(
                optimizer.optimizers, optimizer.settings, strict=True
            )
        ]
        state = BranchedState if one_by_one else SwitchedState
        return state(optimizer, each, parameters)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return _LossScale(optimizer, parameters)
    if optimizer.gradient_accumulation_steps:
        raise CannotVectorize(
            "its optimizer accumulates gradients over several batches "
            "(`gradient_accumulation_steps`)"
        )
    return _Plain(optimizer, parameters, settings)


class FunctionalOptimizer(Protocol):
    """An optimizer that computes on the values of a `StatelessScope`.

    Attributes:
        variables: One for each array of a member's state.
        groups: Of which of the original's variables each of these is made.
        finishes: Whether `finish` changes anything.
    """

    variables: list[Any]
    groups: list[list[int]]
    finishes: bool

    def scale_loss(self, loss: Any) -> Any:
        """Returns the loss to differentiate."""
        ...

    def apply(self, gradients: list[Any]) -> None:
        """Takes a step."""
        ...

    def finish(self) -> None:
        """Does what is left to do at the end of training."""
        ...


class _Plain:
    """Any optimizer but those below."""

    def __init__(
        self,
        optimizer: Any,
        parameters: list[ParameterGroup],
        settings: Any = None,
    ) -> None:
        self._copy = functional_copy(optimizer)
        if settings:
            settings.install_into(self._copy)
        self._updated = [p.variable for p in parameters]
        # Which variables decay the original says: its answer depends on
        # `exclude_from_weight_decay`, which is not in its config.
        set_decays(
            self._copy,
            {id(p.variable): decays(optimizer, p.parts[0]) for p in parameters},
        )
        self.slots = build_noting_slots(self._copy, self._updated)
        if hasattr(self._copy, "_is_kernel"):
            self._copy._is_kernel = [is_kernel(p.parts[0]) for p in parameters]
        self.finishes = optimizer.use_ema or _finishes(type(optimizer))
        self.variables = list(self._copy.variables)
        self.groups = _groups(optimizer, parameters, self.variables, self.slots)
        of_settings = settings.variables if settings else []
        first = len(optimizer.variables)
        self.groups += [[first + i] for i in range(len(of_settings))]
        self.variables += of_settings

    def scale_loss(self, loss: Any) -> Any:
        return self._copy.scale_loss(loss)

    def apply(self, gradients: list[Any]) -> None:
        self._copy.apply(gradients, self._updated)

    def finish(self) -> None:
        self._copy.finalize_variable_values(self._updated)


def _finishes(kind: type) -> bool:
    name = "finalize_variable_values"
    return getattr(kind, name) is not getattr(keras.optimizers.Optimizer, name)


def _groups(
    optimizer: Any,
    parameters: list[ParameterGroup],
    variables: list[Any],
    slots: dict[int, tuple[int, str]],
) -> list[list[int]]:
    """Returns of which of the original's variables each of `variables` is."""
    if all(len(p.parts) == 1 for p in parameters):
        return [[i] for i in range(len(variables))]
    parts = {
        i: part
        for p in parameters
        for i, part in zip(p.indices, p.parts, strict=True)
    }
    with deferred_initialization():
        original = functional_copy(optimizer)
        of_parts = build_noting_slots(
            original, [parts[i] for i in range(len(parts))]
        )
    places = {slot: i for i, slot in of_parts.items()}
    others = iter(
        i for i in range(len(original.variables)) if i not in of_parts
    )
    return [
        [places[part, slots[i][1]] for part in parameters[slots[i][0]].indices]
        if i in slots
        else [next(others)]
        for i in range(len(variables))
    ]


class _LossScale:
    """`keras.optimizers.LossScaleOptimizer`, without its branches.

    Keras skips the step where a gradient has overflowed. Here it is computed
    and its result not taken, which is the same and does not depend on a
    condition that differs between members.
    """

    def __init__(
        self, optimizer: Any, parameters: list[ParameterGroup]
    ) -> None:
        self.inner = functional_optimizer(optimizer.inner_optimizer, parameters)
        self._updated = [p.variable for p in parameters]
        self._growth_steps = optimizer.dynamic_growth_steps
        self._counter = keras.Variable(
            0, dtype="int", trainable=False, name="step_counter"
        )
        self._scale = keras.Variable(
            optimizer.initial_scale,
            dtype="float32",
            trainable=False,
            name="dynamic_scale",
        )
        # Members' states have them, in the order of the original's variables.
        self._unused = [
            keras.Variable(
                keras.ops.convert_to_numpy(v), dtype=v.dtype, trainable=False
            )
            for v in iterations_and_rate(optimizer)
        ]
        self.finishes = self.inner.finishes
        own = [*self._unused, self._counter, self._scale]
        self.variables = [*own, *self.inner.variables]
        self.groups = [
            *([i] for i in range(len(own))),
            *([len(own) + i for i in group] for group in self.inner.groups),
        ]

    def scale_loss(self, loss: Any) -> Any:
        return ops.multiply(loss, self._scale)

    def apply(self, gradients: list[Any]) -> None:
        known = [g for g in gradients if g is not None]
        finite = ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in known]))
        scale = ops.convert_to_tensor(self._scale)
        kept = [*self._updated, *self.inner.variables]
        before = [ops.convert_to_tensor(v.value) for v in kept]
        self.inner.apply(
            [None if g is None else ops.divide(g, scale) for g in gradients]
        )
        for variable, old in zip(kept, before, strict=True):
            variable.assign(ops.where(finite, variable.value, old))

        count: Any = ops.convert_to_tensor(self._counter)
        grow = ops.equal(count, self._growth_steps - 1)
        factor = ops.where(finite, ops.where(grow, 2.0, 1.0), 0.5)
        self._scale.assign(ops.multiply(scale, factor))
        goes_on = ops.logical_and(finite, ops.logical_not(grow))
        self._counter.assign(ops.where(goes_on, count + 1, 0))

    def finish(self) -> None:
        self.inner.finish()
