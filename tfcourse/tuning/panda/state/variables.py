"""All variables that training changes: their values, read and restored."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from tfcourse.utils.keras_private import global_seed


def variables_of(
    model: keras.Model, settings: Mapping[str, keras.Variable], metrics: bool
) -> dict[str, keras.Variable]:
    """Returns all variables that training changes, by a name of their own.

    Args:
        model: A built model with a built optimizer.
        settings: The variables of the hyperparameters, by name.
        metrics: Whether to include those of the metrics.
    """
    optimizer = [] if model.optimizer is None else model.optimizer.variables
    groups = {
        "model": model.variables,
        "optimizer": optimizer,
        # Keras's optimizers do not know the constants of our schedules.
        "setting": list(settings.values()),
        # Also draws for whatever has no seed of its own.
        "seed": [global_seed()],
        "metric": model.metrics_variables if metrics else [],
    }
    return {
        f"{group}/{n}": variable
        for group, variables in groups.items()
        for n, variable in enumerate(variables)
        if variable is not None
    }


def read(variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns the values of variables, as NumPy arrays."""
    return {name: np.asarray(variable) for name, variable in variables.items()}


def copies(variables: Mapping[str, keras.Variable]) -> dict[str, Any]:
    """Returns copies of the present values of variables, on their device."""
    return {name: keras.ops.copy(value) for name, value in variables.items()}


def assign(
    variables: Mapping[str, keras.Variable], arrays: Mapping[str, np.ndarray]
) -> None:
    """Gives variables the values of arrays of the same names."""
    for name, variable in variables.items():
        value = arrays[name]
        if value.dtype.kind == "V":
            # NumPy's files know no bfloat16.
            value = value.view(np.asarray(variable).dtype)
        variable.assign(value)


def first_not_finite(arrays: Mapping[str, np.ndarray]) -> str | None:
    """Returns the name of an array with a NaN or infinity, or `None`.

    Metrics do not count: they are reset.
    """
    for name, array in arrays.items():
        is_float = np.issubdtype(array.dtype, np.floating)
        counts = is_float and not name.startswith(("metric/", "setting/"))
        # The sum is not finite if an entry is not, and quicker to compute.
        if counts and not np.isfinite(array.sum(dtype="float64")):
            return name
    return None
