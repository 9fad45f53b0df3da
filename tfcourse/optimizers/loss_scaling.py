"""Settings that are set on what Keras puts around an optimizer.

Under `mixed_float16`, `model.optimizer` is Keras's `LossScaleOptimizer` around
the one that was compiled. A setting given to it would stay on it without
effect; so it is passed on, as Keras itself does with `learning_rate`.
"""

from typing import Any

import keras


class _PassedOn:
    """An attribute that the inner optimizer has, if its class declares it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, obj: Any, owner: type | None = None) -> Any:
        if obj is None:
            return self
        inner = _inner_with(obj, self._name)
        if inner is not None:
            return getattr(inner, self._name)
        try:
            return vars(obj)[self._name]
        except KeyError:
            raise AttributeError(
                f"{type(obj).__name__!r} object has no attribute {self._name!r}"
            ) from None

    def __set__(self, obj: Any, value: Any) -> None:
        inner = _inner_with(obj, self._name)
        if inner is not None:
            setattr(inner, self._name, value)
        else:
            vars(obj)[self._name] = value


def pass_on(names: tuple[str, ...]) -> None:
    """Lets attributes of these names reach the optimizer that is scaled for."""
    for name in names:
        if not hasattr(keras.optimizers.LossScaleOptimizer, name):
            setattr(keras.optimizers.LossScaleOptimizer, name, _PassedOn(name))


def _inner_with(obj: Any, name: str) -> Any:
    """Returns the inner optimizer if its class has an attribute, or None."""
    inner = vars(obj).get("inner_optimizer")
    return inner if hasattr(type(inner), name) else None
