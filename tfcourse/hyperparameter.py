"""Hyperparameters that can change while a model trains."""

import inspect
import weakref
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from tfcourse.utils.validation import Interval, check_number

# To look through a class takes longer than to build a layer of it.
_names: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


class Hyperparameter:
    """A scalar setting of a layer or optimizer, held in a variable.

    A Python float is frozen into the compiled training step at its first run;
    a variable is read anew at every step. Declare it on the class, set it like
    any attribute:

    ```python
    class Adam(keras.optimizers.Optimizer):
        beta_1 = Hyperparameter("[0, 1)")
    ```

    Reading the attribute gives a scalar, non-trainable `keras.Variable`, which
    is saved and restored with its owner. It is no weight: a layer leaves it out
    of its `weights`, by `without`, as Keras does with the state of seeds.

    Args:
        interval: The allowed values, e.g. `"[0, 1)"`: a square bracket includes
            the end, a round one excludes it.

    Raises:
        TypeError: On setting something that is not a real number.
        ValueError: On setting a value outside `interval`.
    """

    def __init__(self, interval: str) -> None:
        self.interval = interval
        self._allowed = Interval(interval)

    def __contains__(self, value):
        return value in self._allowed

    def __set_name__(self, owner, name):
        self.name = name
        self._slot = f"_{name}"

    def __get__(self, obj, owner=None):
        return self if obj is None else getattr(obj, self._slot)

    def __set__(self, obj, value):
        self.check(value, type(obj).__name__)
        if hasattr(obj, self._slot):
            getattr(obj, self._slot).assign(value)
        else:
            # Keras tracks the variable because it is set as an attribute.
            setattr(obj, self._slot, self._variable(obj, value))

    def check(self, value: object, owner: str) -> None:
        """Raises unless `value` may be the setting of a class named `owner`."""
        check_number(value, self.name, owner, self._allowed)

    def _variable(self, obj, value):
        with keras.name_scope(obj.name, caller=obj):
            return keras.Variable(
                value,
                # A Python float would give float32 whatever `floatx` says.
                dtype=getattr(obj, "variable_dtype", keras.config.floatx()),
                trainable=False,
                # A float16 layer would otherwise read 1e-8 as 0.
                autocast=False,
                aggregation="only_first_replica",
                name=self.name,
            )


def hyperparameters_of(obj: Any) -> dict[str, keras.Variable]:
    """Returns the hyperparameter variables that the class of `obj` declares.

    For use in a class body: `hyperparameters = property(hyperparameters_of)`.

    Returns:
        A dict from name to scalar `keras.Variable`, in order of the names.
    """
    return {name: getattr(obj, name) for name in names_declared(type(obj))}


def without(
    weights: Iterable[keras.Variable], others: Iterable[keras.Variable | None]
) -> list[keras.Variable]:
    """Returns the weights of a layer without some of its variables.

    What `get_weights` gives then fits a layer of Keras's own that computes the
    same, and `set_weights` changes no setting.
    """
    left_out = {id(variable) for variable in others}
    return [weight for weight in weights if id(weight) not in left_out]


def names_declared(cls: type) -> tuple[str, ...]:
    """Returns the names of the hyperparameters that a class declares."""
    if cls not in _names:
        found = inspect.getmembers(
            cls, lambda member: isinstance(member, Hyperparameter)
        )
        _names[cls] = tuple(name for name, _ in found)
    return _names[cls]


def current_value(variable: keras.Variable) -> float:
    """Returns the value of a scalar variable as a float.

    The shortest decimal that names the stored value is given, so that 0.9 in
    float32 reads 0.9 and not 0.8999999761581421.
    """
    return float(str(np.asarray(variable)))


def current_values(obj: Any) -> dict[str, float]:
    """Returns the hyperparameters of `obj` as floats, for its `get_config`."""
    return {
        name: current_value(variable)
        for name, variable in hyperparameters_of(obj).items()
    }
