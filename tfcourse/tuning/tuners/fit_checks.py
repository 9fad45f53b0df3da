"""What Keras would refuse of `fit`, or take and not do, is said at once."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from tfcourse.errors import InputError

# What is counted, and the least that there can be.
_COUNTS = {
    "epochs": 1,
    "batch_size": 1,
    "initial_epoch": 0,
    "steps_per_epoch": 1,
    "validation_steps": 1,
    "validation_batch_size": 1,
}


def check_fit_arguments(given: dict[str, Any]) -> None:
    """Checks the arguments of `fit` that are no data.

    Args:
        given: The arguments of a search that are not None, by name.

    Raises:
        InputError: If one of them makes no sense, by itself or with another.
    """
    for name, least in _COUNTS.items():
        if name in given and not _is_count(given[name], least):
            raise _wrong(name, f"a whole number of {least} or more", given)
    if given.get("initial_epoch", 0) >= given.get("epochs", 1):
        raise InputError(
            "`initial_epoch` of `search` must be less than `epochs`: nothing "
            f"would be trained. Received: initial_epoch="
            f"{given['initial_epoch']}, epochs={given.get('epochs', 1)}"
        )
    _check_validation(given)
    _check_class_weight(given)
    _check_callbacks(given)


def _check_validation(given: dict[str, Any]) -> None:
    split = given.get("validation_split", 0.0)
    if not _is_number(split) or not 0 <= split < 1:
        raise _wrong("validation_split", "a share in [0, 1)", given)
    data = given.get("validation_data")
    if isinstance(data, (tuple, list)) and len(data) not in (1, 2, 3):
        raise InputError(
            "`validation_data` of `search` must be (x_val, y_val), or these "
            f"and sample weights. Received: {len(data)} parts"
        )
    if isinstance(data, np.ndarray):
        raise InputError(
            "`validation_data` of `search` must be (x_val, y_val), or a "
            f"dataset. Received: an array of shape {data.shape}"
        )
    freq = given.get("validation_freq", 1)
    several = freq if isinstance(freq, (list, tuple, set)) else [freq]
    if not several or not all(_is_count(one, 1) for one in several):
        what = "a whole number of 1 or more, or a list of epochs"
        raise _wrong("validation_freq", what, given)


def _check_class_weight(given: dict[str, Any]) -> None:
    weights = given.get("class_weight")
    if weights is None:
        return
    # Keras looks the number of a class up, and takes 1 where it is not there.
    if not isinstance(weights, dict) or not all(
        _is_number(label) and label == int(label) and _is_number(weight)
        for label, weight in weights.items()
    ):
        what = "a dict from the number of a class to its weight"
        raise _wrong("class_weight", what, given)
    if "sample_weight" in given:
        raise InputError(
            "`search` was given both `class_weight` and `sample_weight`, of "
            "which Keras takes only one. Multiply them into `sample_weight`."
        )


def _check_callbacks(given: dict[str, Any]) -> None:
    callbacks = given.get("callbacks", [])
    if not isinstance(callbacks, (list, tuple)) or not all(
        isinstance(one, keras.callbacks.Callback) for one in callbacks
    ):
        what = "a list of `keras.callbacks.Callback`, such as EarlyStopping()"
        raise _wrong("callbacks", what, given)


def _is_count(value: Any, least: int) -> bool:
    whole = isinstance(value, (int, np.integer))
    return whole and not isinstance(value, bool) and value >= least


def _is_number(value: Any) -> bool:
    number = isinstance(value, (int, float, np.integer, np.floating))
    return number and not isinstance(value, bool) and math.isfinite(value)


def _wrong(name: str, expected: str, given: dict[str, Any]) -> InputError:
    return InputError(
        f"`{name}` of `search` must be {expected}. "
        f"Received: {name}={given[name]!r}"
    )
