"""SavedModels, read again."""

import os
import pathlib
from typing import Any

from tfcourse.errors import InputError
from tfcourse.export.metadata import read_metadata
from tfcourse.utils.literal_paths import without_pattern
from tfcourse.utils.text import first_line


def load_saved_model(path: str | os.PathLike) -> tuple[Any, dict[str, Any]]:
    """Returns a SavedModel and its metadata.

    Args:
        path: A folder that `export_saved_model` wrote, or any SavedModel.

    Returns:
        The object of `tf.saved_model.load`, and a dict, empty if the folder
        was written by something else.

    Raises:
        InputError: If `path` is no SavedModel, or a damaged one.
    """
    import tensorflow as tf

    path = pathlib.Path(path)
    if not (path / "saved_model.pb").is_file():
        raise InputError(
            f"{path} is no SavedModel: there is no saved_model.pb in it. Give "
            "the folder that was exported, e.g. runs/NAME/model; `tfcourse "
            "export` makes one of a .keras file."
        )
    try:
        with without_pattern(path) as literal:
            loaded = tf.saved_model.load(literal)
    except Exception as error:  # Damage shows in many ways.
        raise InputError(
            f"{path} cannot be loaded; export it again. TensorFlow says: "
            f"{first_line(error) or type(error).__name__}"
        ) from error
    return loaded, read_metadata(path, _classes(loaded))


def describe_saved_model(path: str | os.PathLike) -> dict[str, Any]:
    """Returns what a SavedModel offers.

    Args:
        path: Any SavedModel.

    Returns:
        A dict: `endpoints`, by name dicts `inputs` and `outputs`, each from
        name to `(dtype, shape)`; `metadata`, see `load_saved_model`; and
        `bytes`, the size of the folder.

    Raises:
        InputError: As `load_saved_model`.
    """
    loaded, metadata = load_saved_model(path)
    endpoints = {
        name: {
            "inputs": _described(signature.structured_input_signature[1]),
            "outputs": _described(signature.structured_outputs),
        }
        for name, signature in sorted(loaded.signatures.items())
    }
    files = (file for file in pathlib.Path(path).rglob("*") if file.is_file())
    return {
        "endpoints": endpoints,
        "metadata": metadata,
        "bytes": sum(file.stat().st_size for file in files),
    }


def endpoint(loaded: Any, name: str, path: str | os.PathLike) -> Any:
    """Returns a signature of a loaded SavedModel.

    Raises:
        InputError: If it has none of that name; those that it has are listed.
    """
    if name not in loaded.signatures:
        raise InputError(
            f"{path} has no endpoint {name!r}. It has: "
            f"{', '.join(sorted(loaded.signatures)) or 'none'}."
        )
    return loaded.signatures[name]


def _classes(loaded):
    """Returns how many classes a loaded model has, or `None`."""
    if "classify" not in loaded.signatures:
        return None
    outputs = loaded.signatures["classify"].structured_outputs
    shape = outputs["probabilities"].shape if "probabilities" in outputs else ()
    return shape[-1] if len(shape) else None


def _described(specs):
    return {
        name: (spec.dtype.name, spec.shape.as_list() if spec.shape.rank else [])
        for name, spec in sorted(specs.items())
    }
