"""Known to Keras: all classes that a saved model of tfcourse's may name."""

import importlib
import os
from typing import Any

import keras

_COMPONENTS = (
    "initializers",
    "layers",
    "optimizers",
    "regularizers",
    "schedules",
)


def register() -> None:
    """Imports all components, which is what makes Keras know their classes.

    Each of their packages calls it at the end, so that importing any one of
    them makes all known: Keras does not import a file's modules by itself.
    """
    for name in _COMPONENTS:
        importlib.import_module(f"tfcourse.{name}")


def load_model(path: str | os.PathLike, **kwargs: Any) -> keras.Model:
    """Loads a `.keras` file, of tfcourse's classes too.

    `keras.saving.load_model` does the same once any subpackage of tfcourse with
    classes has been imported.

    Args:
        path: The file.
        **kwargs: Passed to `keras.saving.load_model`.

    Returns:
        The model.
    """
    register()
    return keras.saving.load_model(path, **kwargs)
