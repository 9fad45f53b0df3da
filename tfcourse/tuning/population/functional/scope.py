"""Where a member's variables have their values while it computes."""

from collections.abc import Collection, Iterable
from typing import Any

import keras
from keras import ops

from tfcourse.errors import CannotVectorize


class Scope(keras.StatelessScope):
    """A scope that keeps values, where Keras's would keep a variable.

    Args:
        values: Pairs of a variable and its value.
        others: The ids of variables that each member has, but whose values are
            not among these: what reads them would read the template's.
        scratch: Variables without a value, which may be given one.
        **settings: As for `keras.StatelessScope`.

    Raises:
        CannotVectorize: If what computes in it reads one of the others, or
            assigns to a variable that is not among the values.
    """

    def __init__(
        self,
        values: Iterable[tuple[Any, Any]],
        others: Collection[int] = frozenset(),
        scratch: Iterable[Any] = (),
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        # Not by Keras, which takes values of the variables' own sizes only.
        for variable, value in values:
            self.state_mapping[id(variable)] = ops.convert_to_tensor(
                value, variable.dtype
            )
        self._before = dict(self.state_mapping)
        self._others = others
        self._known = {*self._before, *map(id, scratch)}

    @property
    def changed(self) -> bool:
        """Whether anything was assigned."""
        return any(
            value is not self._before[key]
            for key, value in self.state_mapping.items()
        )

    def has_changed(self, variable: Any) -> bool:
        """Whether another value was assigned to the variable."""
        key = id(variable)
        return self.state_mapping[key] is not self._before[key]

    def get_current_value(self, variable: Any) -> Any:
        value = super().get_current_value(variable)
        if value is None and id(variable) in self._others:
            raise CannotVectorize(
                f"its code reads {variable.path} where only another part of "
                "the model is computed"
            )
        return value

    def add_update(self, update: tuple[Any, Any]) -> None:
        variable, value = update
        if id(variable) not in self._known:
            raise CannotVectorize(
                f"its code assigns to {variable.path}, of which each model "
                "does not have its own"
            )
        value = _tensor(value)
        if keras.config.backend() != "jax":
            # As Keras assigns there: a variable's value has no gradient.
            value = ops.stop_gradient(value)
        super().add_update((variable, value))


def tensors_of(values: Any) -> Any:
    """Returns nested values, variables as they are in the present scope."""
    return keras.tree.map_structure(_tensor, values)


def _tensor(value: Any) -> Any:
    if isinstance(value, keras.Variable):
        return ops.convert_to_tensor(value.value)
    return value
