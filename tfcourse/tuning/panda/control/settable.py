"""What can be set while a model trains."""

import dataclasses
import difflib
import math
import numbers
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from tfcourse.errors import InputError
from tfcourse.hyperparameter import Hyperparameter, current_value
from tfcourse.tuning.panda.state.model import inner_optimizer
from tfcourse.utils.keras_private import every_layer, learning_rate_of

_RATES = ("learning_rate", "initial_learning_rate")


@dataclasses.dataclass(frozen=True)
class Setting:
    """A hyperparameter of a model in training.

    Attributes:
        name: By which it is set: `beta` of the optimizer, `LAYER.keep_prob` of
            a layer.
        variable: A scalar `keras.Variable`.
        interval: The allowed values, as for `Hyperparameter`.
    """

    name: str
    variable: keras.Variable
    interval: str

    @property
    def value(self) -> float:
        return current_value(self.variable)

    def set(self, value: float) -> None:
        self.variable.assign(value)

    def check(self, value: Any) -> None:
        """Raises an `InputError` unless it may have the value."""
        is_number = isinstance(value, numbers.Real) and _is_finite(value)
        # As it would be stored: 1 - 1e-9 is 1 in float32.
        stored = is_number and float(
            np.asarray(value, keras.backend.standardize_dtype(self._dtype))
        )
        if (
            not is_number
            or isinstance(value, bool)
            or stored not in Hyperparameter(self.interval)
        ):
            raise InputError(
                f"{self.name} must lie in {self.interval}. Received: "
                f"{self.name}={str(value)[:80]}"
            )

    @property
    def _dtype(self) -> str:
        # NumPy has no bfloat16.
        dtype = str(self.variable.dtype)
        return "float32" if dtype == "bfloat16" else dtype


def _is_finite(value: numbers.Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        # An integer of more digits than a float can have.
        return False


def settings_of(model: keras.Model) -> dict[str, Setting]:
    """Returns what can be set of a model: a dict from name to `Setting`.

    The hyperparameters of tfcourse's optimizer, or the learning rate of any
    of Keras's, and those of tfcourse's layers.
    """
    found = []
    optimizer = inner_optimizer(model)
    own = getattr(optimizer, "hyperparameters", None)
    if isinstance(own, dict):
        schedule = learning_rate_of(optimizer)
        owners = (type(optimizer), type(schedule))
        found += [
            Setting(name, variable, _interval(name, *owners))
            for name, variable in own.items()
        ]
    elif optimizer is not None and not follows_a_schedule(model):
        rate = optimizer.learning_rate
        found.append(Setting("learning_rate", rate, "[0, inf)"))
    for layer in every_layer(model):
        own = getattr(layer, "hyperparameters", None)
        for name, variable in own.items() if isinstance(own, dict) else ():
            interval = _interval(name, type(layer))
            found.append(Setting(f"{layer.name}.{name}", variable, interval))
    return {setting.name: setting for setting in found}


def follows_a_schedule(model: keras.Model) -> bool:
    """Returns whether the learning rate is computed at each step."""
    rate = inner_optimizer(model).learning_rate
    return not isinstance(rate, keras.Variable)


def values_of(
    model: keras.Model, settings: Mapping[str, Setting]
) -> dict[str, float]:
    """Returns what the journal says of the hyperparameters."""
    values = {name: setting.value for name, setting in settings.items()}
    optimizer = inner_optimizer(model)
    if optimizer is not None and "learning_rate" not in values:
        # What the schedule gives at this step.
        values["learning_rate"] = float(np.asarray(optimizer.learning_rate))
    return values


def rates_of(settings: Mapping[str, Setting]) -> list[Setting]:
    """Returns the settings to multiply for another learning rate."""
    for name in _RATES:
        if name in settings:
            return [settings[name]]
    return [s for name, s in settings.items() if name.startswith("value_")]


def checked(
    settings: Mapping[str, Setting], changes: Mapping[str, float]
) -> dict[str, float]:
    """Returns changes by their full names, if all of them can be made.

    Args:
        settings: What `settings_of` returns.
        changes: A dict from name to value. `keep_prob` will do for
            `dropout.keep_prob` where no other layer has one.

    Raises:
        InputError: If a name or a value is wrong; lists what can be set.
    """
    try:
        full = {_full(settings, n): value for n, value in changes.items()}
        for name, value in full.items():
            settings[name].check(value)
    except InputError as error:
        raise InputError(f"{error}. {listed(settings)}") from None
    return full


def listed(settings: Mapping[str, Setting]) -> str:
    """Returns a sentence that names all that can be set."""
    names = ", ".join(
        f"{name} in {s.interval} (now {s.value:g})"
        for name, s in settings.items()
    )
    return f"What can be set: {names or 'nothing'}."


def _full(settings: Mapping[str, Setting], name: str) -> str:
    if name in settings:
        return name
    ends = [known for known in settings if known.endswith(f".{name}")]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise InputError(f"{name} is not one: there are {', '.join(ends)}")
    close = difflib.get_close_matches(name, settings, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise InputError(f"there is no hyperparameter {name[:80]!r} to set{hint}")


def _interval(name: str, *owners: type) -> str:
    for owner in owners:
        declared = getattr(owner, name, None)
        if isinstance(declared, Hyperparameter):
            return declared.interval
    # The values of `PiecewiseConstantDecay`: times and rates.
    return "[0, inf)"
