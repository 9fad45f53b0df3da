"""SavedModels that load and serve where tfcourse is not installed."""

import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse import __version__
from tfcourse.data.table.spelling import spelled
from tfcourse.errors import InputError
from tfcourse.export.metadata import METADATA, check_metadata
from tfcourse.export.probabilities import (
    missing_activation,
    outputs_match_classes,
    probabilities_of,
)
from tfcourse.outputs import check_saved_model_replaceable
from tfcourse.utils.atomic_files import replacing, write_json

if TYPE_CHECKING:
    import keras

# How many of the likeliest classes `classify` lists.
_TOP = 5
# How far a probability may be outside 0 to 1, e.g. in half precision.
_ROUNDING = 1e-3


def export_saved_model(
    model: "keras.Model",
    path: str | os.PathLike,
    *,
    labels: Sequence[Any] | None = None,
    input_names: Sequence[str] | None = None,
    overwrite: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Writes a Keras model as a SavedModel.

    Its endpoints take any number of examples, as one tensor `features`, or as
    several by their names:

    - `serve` (also the default): what the model returns, as `outputs`, or
      several by their names, `output_0` and so on where names are not unique.
    - `classify`, if `labels` are given: `label` and its `probability` for each
      example; `top_labels` and `top_probabilities` of the five likeliest
      classes, likeliest first; and `probabilities` `(m, C)` in the order of
      the labels. The model's outputs are taken as logits if its loss does so.

    It contains no optimizer and no class of tfcourse: it loads with
    `tf.saved_model.load`, and with
    `keras.layers.TFSMLayer(path, call_endpoint="serve")`.

    Args:
        model: A built Keras model: functional, sequential or subclassed. One
            written as a class must take one argument (an array, a list or a
            dict), of the shapes that it was built with.
        path: The folder to write. It is written under another name beside it,
            then renamed.
        labels: The classes in the order of the outputs: all text or all
            integers; anything else is written as text.
        input_names: Names for the inputs, a list; by default `features` for a
            single input, else the names of the model's inputs.
        overwrite: Whether to replace a SavedModel at `path`; anything else is
            never replaced.
        metadata: What else to write down about the model, as JSON. `tfcourse
            predict` reads from it `feature_names`, the columns of a table, and
            `ranges`, the lowest and highest value that each column may have, by
            name; other entries, such as `units`, are for people. NumPy's arrays
            become lists, and what JSON does not know becomes text.

    Raises:
        InputError: If `path` exists and `overwrite` is false, or `path` is not
            a SavedModel; if the model is not built, or cannot be called on any
            number of examples; if the number of labels is not that of the
            outputs, or the number of names not that of the inputs; if there are
            labels and the outputs are not probabilities; if `feature_names` or
            `ranges` cannot be used; or if the written model does not return
            what the model does, with or without XLA.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> export_saved_model(model, "saved", labels=["no", "yes"])
    >>> loaded = tf.saved_model.load("saved")
    >>> loaded.classify(tf.constant([[0.0, 1.0]]))["label"].numpy().tolist()
    [b'yes']
    """
    from tfcourse.export.model_signature import ModelSignature
    from tfcourse.export.verification import call_on_sample, check_equal

    path = pathlib.Path(path)
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists already. Choose another path, or say "
            "`overwrite=True` to replace it."
        )
    check_saved_model_replaceable(path)
    check_metadata(metadata or {})
    signature = ModelSignature(model, input_names)
    _, outputs = call_on_sample(model, signature)
    if labels is not None:
        labels = [
            label.item() if isinstance(label, np.generic) else label
            for label in labels
        ]
        _check_labels(model, outputs, labels)
    archive = _archive(model, signature, labels)
    own = {
        "tfcourse": __version__,
        "labels": labels,
        "inputs": signature.spec_names,
    }
    described = {**own, **(metadata or {}), **own}
    with replacing(path) as beside:
        archive.write_out(beside, verbose=False)
        (beside / METADATA).parent.mkdir()
        write_json(beside / METADATA, described, indent=1, default=_plain)
        check_equal(model, signature, beside)


def _archive(model, signature, labels):
    """Returns the model as an archive with its endpoints, not yet written."""
    import keras
    import tensorflow as tf

    specs = [
        tf.TensorSpec(shape, dtype, name=name)
        for shape, dtype, name in zip(
            signature.shapes,
            signature.dtypes,
            signature.spec_names,
            strict=True,
        )
    ]
    inputs = [signature.pack(specs)]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", signature.call, input_signature=inputs)
    if labels is not None:
        classify = _classifier(model, signature, labels)
        archive.add_endpoint("classify", classify, input_signature=inputs)
    return archive


def _plain(value):
    """Returns a value of NumPy's as Python's, of another kind as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _check_labels(model, outputs, labels):
    if len(outputs) > 1:
        raise InputError(
            f"The model {model.name!r} has {len(outputs)} outputs, and labels "
            "name the classes of a single output. Leave out `labels`."
        )
    (output,) = outputs.values()
    width = output.shape[-1]
    if not outputs_match_classes(width, len(labels)):
        raise InputError(
            f"There are {len(labels)} labels for the {width} outputs of the "
            f"model {model.name!r}. Give one label per output, or two for a "
            "single output."
        )
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise InputError(f"Two classes have the label {twice.pop()!r}.")
    missing = missing_activation(model, output)
    probabilities = np.asarray(probabilities_of(output, missing))
    if not np.all(
        (probabilities > -_ROUNDING) & (probabilities < 1 + _ROUNDING)
    ):
        raise InputError(
            f"The outputs of the model {model.name!r} are not probabilities. "
            "End it with a softmax, or compile it with a loss that has "
            "`from_logits=True`."
        )


def _classifier(model, signature, labels):
    import tensorflow as tf

    integers = all(type(label) is int for label in labels)
    names = [i if isinstance(i, str) else spelled(i) for i in labels]
    names = tf.constant(labels if integers else names)

    def classify(inputs):
        (outputs,) = signature.call(inputs).values()
        missing = missing_activation(model, outputs)
        probabilities = probabilities_of(outputs, missing)
        top, places = tf.math.top_k(probabilities, min(_TOP, len(labels)))
        top_labels = tf.gather(names, places)
        return {
            "label": top_labels[..., 0],
            "probability": top[..., 0],
            "top_labels": top_labels,
            "top_probabilities": top,
            "probabilities": probabilities,
        }

    return classify
