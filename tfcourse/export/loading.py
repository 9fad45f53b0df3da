"""SavedModels, read again."""

import os
import pathlib
from typing import Any

from tfcourse.errors import InputError
from tfcourse.export.metadata import read_metadata
from tfcourse.utils.literal_paths import without_pattern
from tfcourse.utils.machine.sentences import machine_error
from tfcourse.utils.text import first_line


def load_saved_model(path: str | os.PathLike) -> tuple[Any, dict[str, Any]]:
    """Returns a SavedModel and its metadata.

    A SavedModel is a program: loading it runs its start-up code, which may read
    and write files. Look at a SavedModel from a stranger with
    `describe_saved_model` (`tfcourse inspect`), which runs nothing, and load
    only what you trust.

    Args:
        path: A folder that `export_saved_model` wrote, or any SavedModel.

    Returns:
        The object that `tf.saved_model.load` returns, and the metadata, a dict
        that is empty if something else wrote the folder.

    Raises:
        InputError: If `path` is not a SavedModel, or a damaged one.
    """
    import tensorflow as tf

    path = pathlib.Path(path)
    _check_is_saved_model(path)
    _refuse_other_than_files(path)
    try:
        with without_pattern(path) as literal:
            loaded = tf.saved_model.load(literal)
    except Exception as error:  # Damage shows in many ways.
        if machine_error(error):
            raise
        raise InputError(
            f"{path} cannot be loaded; export it again. TensorFlow says: "
            f"{first_line(error) or type(error).__name__}"
        ) from error
    return loaded, read_metadata(path, _classes(loaded))


def describe_saved_model(path: str | os.PathLike) -> dict[str, Any]:
    """Returns what a SavedModel offers, without running any of it.

    Args:
        path: Any SavedModel.

    Returns:
        A dict: `endpoints`, by name dicts `inputs` and `outputs`, each from
        name to `(dtype, shape)`; `metadata`, see `load_saved_model`; and
        `bytes`, the size of the folder.

    Raises:
        InputError: As `load_saved_model`.
    """
    path = pathlib.Path(path)
    endpoints = {
        name: {
            "inputs": _described(signature.inputs),
            "outputs": _described(signature.outputs),
        }
        for name, signature in sorted(_signatures(path).items())
        # What TensorFlow calls when it loads the model.
        if name != "__saved_model_init_op"
    }
    _, shape = (endpoints.get("classify", {"outputs": {}})["outputs"]).get(
        "probabilities", ("", [])
    )
    files = (file for file in path.rglob("*") if file.is_file())
    return {
        "endpoints": endpoints,
        "metadata": read_metadata(path, shape[-1] if shape else None),
        "bytes": sum(file.stat().st_size for file in files),
    }


def _signatures(path):
    """Returns the signatures in the protobuf of a SavedModel, by name.

    To load the model would run what it does at its start.
    """
    from tfcourse.utils.tensorflow_private import meta_graphs

    _check_is_saved_model(path)
    try:
        # `tf.saved_model.load` wants no more than one, too.
        (graph,) = meta_graphs((path / "saved_model.pb").read_bytes())
    except ValueError as error:
        raise InputError(
            f"{path} cannot be loaded; export it again. Its saved_model.pb is "
            f"damaged: {first_line(error) or type(error).__name__}"
        ) from error
    return graph.signature_def


def _refuse_other_than_files(path):
    """Raises for what TensorFlow would wait for, or give no name of."""
    known = {*path.glob("*.pb"), *path.glob("variables/variables.*")}
    for file in path.rglob("*"):
        if not file.is_file() and (file in known or not file.is_dir()):
            raise InputError(f"{file} is not a file. Export the model again.")


def _check_is_saved_model(path):
    if not (path / "saved_model.pb").is_file():
        raise InputError(
            f"{path} is not a SavedModel: there is no saved_model.pb in it. "
            "Give the folder that was exported, e.g. runs/NAME/model; "
            "`tfcourse export` makes one of a .keras file."
        )


def endpoint(loaded: Any, name: str, path: str | os.PathLike) -> Any:
    """Returns a signature of a loaded SavedModel.

    Raises:
        InputError: If it has none of that name; the message lists those it has.
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


def _described(tensors):
    """Returns `(dtype, shape)` of each tensor of a signature, by name."""
    import tensorflow as tf

    return {
        name: (
            tf.dtypes.as_dtype(tensor.dtype).name,
            [
                None if dim.size < 0 else dim.size
                for dim in tensor.tensor_shape.dim
            ],
        )
        for name, tensor in sorted(tensors.items())
    }
