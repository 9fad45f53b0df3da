"""A search space, be it a function or a class, as a `HyperModel`."""

from collections.abc import Callable

import keras
import keras_tuner

Build = Callable[[keras_tuner.HyperParameters], keras.Model]


def as_hypermodel(
    space: keras_tuner.HyperModel | Build,
) -> keras_tuner.HyperModel:
    """Returns a search space as a `HyperModel`, be it a function."""
    if isinstance(space, keras_tuner.HyperModel):
        return space
    return _FunctionHyperModel(space)


class _FunctionHyperModel(keras_tuner.HyperModel):
    """A function as a `HyperModel`."""

    def __init__(self, build: Build) -> None:
        super().__init__()
        self._build = build

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        return self._build(hp)
