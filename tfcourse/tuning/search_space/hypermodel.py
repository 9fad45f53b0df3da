"""Search spaces given as functions."""

from collections.abc import Callable
from typing import Any

import keras_tuner


def as_hypermodel(
    space: keras_tuner.HyperModel
    | Callable[[keras_tuner.HyperParameters], Any],
) -> keras_tuner.HyperModel:
    """Returns a search space as a `HyperModel`, be it a function."""
    if isinstance(space, keras_tuner.HyperModel):
        return space
    return _Space(space)


class _Space(keras_tuner.HyperModel):
    """A function as a `HyperModel`."""

    def __init__(self, build):
        super().__init__()
        self._build = build

    def build(self, hp):
        return self._build(hp)
