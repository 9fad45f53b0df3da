"""From a model file or a run's folder to a file for another runtime."""

import os
import pathlib
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tfcourse.data.unpacked_size import check_zip
from tfcourse.errors import InputError
from tfcourse.export.batch_norm_folding import fold_batch_normalization
from tfcourse.export.metadata import METADATA, read_metadata
from tfcourse.export.model_signature import ModelSignature
from tfcourse.export.saved_model import export_saved_model
from tfcourse.export.verification import call_on_sample
from tfcourse.utils.atomic_files import replacing
from tfcourse.utils.machine.sentences import machine_error
from tfcourse.utils.text import first_line

if TYPE_CHECKING:
    import keras

# The suffix that each converter wants, the package that it needs.
_FORMATS = {
    "litert": (".tflite", "ai-edge-litert"),
    "onnx": (".onnx", "tf2onnx"),
}


def export_file(
    source: str | os.PathLike,
    to: str | os.PathLike,
    *,
    labels: Sequence[Any] | None = None,
    fold: bool = False,
    form: str = "saved_model",
    overwrite: bool = False,
    allow_code: bool = False,
) -> None:
    """Exports a model from a file.

    Args:
        source: A `.keras` file, or the folder of a finished run.
        to: What to write.
        labels: As for `export_saved_model`; by default the run's.
        fold: Whether to merge batch norm, see `fold_batch_normalization`.
        form: `"saved_model"`, `"litert"` or `"onnx"`; the last two by Keras's
            own `model.export`.
        overwrite: Whether to replace an existing `to`, if it has the form being
            written and is neither `source` nor a folder around it.
        allow_code: Whether to load a model that holds code, such as that of a
            `Lambda` layer, which then runs.

    Raises:
        InputError: If the source is no model, `to` exists, the package for the
            format is not installed or its converter refuses the model.
    """
    source, to = pathlib.Path(source), pathlib.Path(to)
    _refuse_around_source(source, to)
    path, metadata = _found(source)
    model = load(path, allow_code=allow_code)
    if fold:
        model = fold_batch_normalization(model)
    if form == "saved_model":
        labels = labels or metadata.pop("labels", None)
        export_saved_model(
            model, to, labels=labels, overwrite=overwrite, metadata=metadata
        )
    else:
        _convert(model, to, form, overwrite)


def load(path: str | os.PathLike, *, allow_code: bool = False) -> "keras.Model":
    """Returns the model in a `.keras` file.

    Raises:
        InputError: If it cannot be loaded, or holds code and that is not
            allowed.
    """
    from tfcourse.saving import load_model

    try:
        return load_model(path, safe_mode=not allow_code)
    except Exception as error:  # Damage shows in many ways.
        if machine_error(error):
            raise
        if "safe_mode" in str(error) or "unsafe" in str(error).lower():
            raise InputError(
                f"{path} holds Python code, which would run when it is "
                "loaded. If you trust its source, allow it with --allow-code."
            ) from error
        raise InputError(
            f"{path} cannot be loaded as a Keras model: "
            f"{first_line(error) or type(error).__name__}"
        ) from error


def _found(source):
    """Returns the model file that is meant, and what is known of it."""
    if source.is_dir():
        path, described = source / "model.keras", source / "model" / METADATA
        if not path.is_file():
            raise InputError(
                f"{source} has no model.keras. Give the folder of a run that "
                "is finished (`tfcourse tune --resume` finishes one), or a "
                ".keras file."
            )
        _check_archive(path)
        metadata = read_metadata(described.parents[1])
        # Written anew for what is exported now.
        return path, {
            k: v for k, v in metadata.items() if k not in ("tfcourse", "inputs")
        }
    _check_archive(source)
    return source, {}


def _check_archive(path):
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise InputError(
            f"{path} is not a Keras model. Give a .keras file, or the "
            "folder of a run."
        )
    check_zip(path)


def _refuse_around_source(source, to):
    """Raises if writing to a path would take away what is exported."""
    if source.resolve().is_relative_to(to.resolve()):
        raise InputError(
            f"{to} is the source of the export, or a folder that holds it. "
            "Choose another --to."
        )


def _convert(model, to, form, overwrite):
    suffix, package = _FORMATS[form]
    if to.suffix != suffix:
        raise InputError(
            f"--to must end in {suffix} for --format {form}. Received: {to}"
        )
    if to.is_dir():
        raise InputError(f"{to} is a folder. Choose another --to.")
    if to.exists() and not overwrite:
        raise InputError(
            f"{to} exists already. Choose another, or replace it with "
            "--overwrite."
        )
    # The converters refuse a model that was loaded and never called.
    call_on_sample(model, ModelSignature(model))
    try:
        with replacing(to, keep_links=True) as beside:
            model.export(beside, format=form, verbose=False)
    except ImportError as error:
        raise InputError(
            f"--format {form} needs the package {package}, which is not "
            'installed: `pip install "tfcourse[runtimes]"`.'
        ) from error
