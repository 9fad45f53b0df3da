"""Where a member's variables have their values while it computes."""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops


class Scope(keras.StatelessScope):
    """A scope that keeps values, where Keras's would keep a variable."""

    def __init__(
        self, values: Iterable[tuple[Any, Any]], **settings: Any
    ) -> None:
        super().__init__(values, **settings)
        self._before = dict(self.state_mapping)

    def has_changed(self, variable: Any) -> bool:
        """Whether another value was assigned to the variable."""
        key = id(variable)
        return self.state_mapping[key] is not self._before[key]

    def add_update(self, update: tuple[Any, Any]) -> None:
        variable, value = update
        if isinstance(value, keras.Variable):
            value = ops.convert_to_tensor(value.value)
        super().add_update((variable, value))
