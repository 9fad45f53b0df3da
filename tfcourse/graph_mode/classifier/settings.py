"""The settings of a softmax classifier, checked."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfcourse.errors import InputError
from tfcourse.graph_mode.classifier.network import ACTIVATIONS
from tfcourse.utils.validation import check_integer, check_number

_OWNER = "SoftmaxClassifier"


def checked_architecture(
    features: int | Sequence[int],
    units: Sequence[int],
    classes: int,
    activation: str,
    momentum: float,
    epsilon: float,
    seed: int,
) -> dict[str, Any]:
    """Returns the arguments of `softmax_network`, by name.

    Raises:
        InputError: If there is no such activation.
        TypeError: If a number is expected and something else is given.
        ValueError: If a setting lies outside its interval.
    """
    shape = (features,) if np.ndim(features) == 0 else tuple(features)
    for i, size in enumerate(shape):
        check_integer(size, f"features[{i}]")
    for i, size in enumerate(units):
        check_integer(size, f"units[{i}]")
    check_integer(classes, "classes", least=2)
    check_integer(seed, "seed", least=0)
    check_number(momentum, "momentum", _OWNER, "[0, 1)")
    check_number(epsilon, "epsilon", _OWNER, "(0, inf)")
    if activation not in ACTIVATIONS:
        raise InputError(
            f"`activation` of {_OWNER} must be one of "
            f"{', '.join(ACTIVATIONS)}. Received: {activation!r}"
        )
    return {
        "shape": shape,
        "units": tuple(units),
        "classes": classes,
        "activation": activation,
        "momentum": momentum,
        "epsilon": epsilon,
        "seed": seed,
    }


def check_training(
    learning_rate: float | Callable, keep_prob: float, lambda_: float
) -> None:
    """Raises, as `checked_architecture`, unless it can be trained so."""
    if not callable(learning_rate):
        check_number(learning_rate, "learning_rate", _OWNER, "(0, inf)")
    check_number(keep_prob, "keep_prob", _OWNER, "(0, 1]")
    check_number(lambda_, "lambda_", _OWNER, "[0, inf)")
