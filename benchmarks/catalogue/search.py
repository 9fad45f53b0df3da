"""What a search of the catalogue is, and the data that all share."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras_tuner
import numpy as np


@dataclasses.dataclass
class Search:
    """A search as somebody runs it.

    Attributes:
        hypermodel: What `keras_tuner.Tuner` takes.
        objective: Likewise.
        args: The positional arguments of `search`.
        fit: The others.
        tuner: Further arguments of the tuner.
        oracle: A function from the number of trials to an oracle, if the
            tuner is given one.
        subclass: A function from the class of a tuner to the user's own.
        trials: How many trials there are at most.
    """

    hypermodel: Any
    objective: Any
    args: tuple
    fit: dict[str, Any]
    tuner: dict[str, Any] = dataclasses.field(default_factory=dict)
    oracle: Callable[[int], keras_tuner.Oracle] | None = None
    subclass: Callable[[type], type] = lambda base: base
    trials: int = 1000


Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def images(size: int, channels: int, train: int, held_out: int, **y) -> Split:
    """Returns square images in 0..1 and their labels, see `labelled`."""
    return labelled((size, size, channels), train, held_out, **y)


def labelled(
    shape: tuple[int, ...],
    train: int,
    held_out: int = 0,
    classes: int = 0,
    hot: bool = False,
    column: bool = False,
    low: float = 0.0,
    high: float = 1.0,
    dtype: str = "float32",
) -> Split:
    """Returns examples that are uniform, and what a linear rule says of them.

    Args:
        shape: The shape of an example.
        train: How many examples to train on.
        held_out: How many others.
        classes: How many classes there are; 0 for the rule's value itself.
        hot: Whether a class is a one-hot vector.
        column: Whether a label is in a vector of one.
        low: The least value of a feature.
        high: The largest.
        dtype: The data type of the examples.
    """
    rng = np.random.default_rng(len(shape) * 100 + shape[-1] + classes)
    count = train + held_out
    x = rng.uniform(low, high, (count, *shape)).astype(dtype)
    flat = (x.reshape(count, -1) - (low + high) / 2) / (high - low)
    rule = rng.normal(size=(flat.shape[1], max(classes, 1)))
    values = flat @ rule + rng.normal(scale=0.3, size=(count, max(classes, 1)))
    if not classes:
        y = (values / values.std()).astype(dtype)
    else:
        y = values.argmax(1)
        y = np.eye(classes, dtype="float32")[y] if hot else y
        y = y[:, None] if column else y
    return (x[:train], y[:train]), (x[train:], y[train:])


def values(shape: tuple[int, ...], count: int, outputs: int = 1) -> tuple:
    """Returns standard normal examples and values that follow from them."""
    rng = np.random.default_rng(len(shape) * 100 + shape[-1])
    x = rng.normal(size=(count, *shape)).astype("float32")
    flat = x.reshape(count, -1)
    y = flat @ rng.normal(size=(flat.shape[1], outputs)) / flat.shape[1] ** 0.5
    return x, y.astype("float32")


def objective(name: str, direction: str) -> keras_tuner.Objective:
    return keras_tuner.Objective(name, direction)
