"""SavedModels that load and serve where tfcourse is not installed."""

import pathlib

from tfcourse import __version__
from tfcourse.errors import InputError
from tfcourse.export.loading import METADATA
from tfcourse.export.probabilities import (
    probabilities_of,
    takes_logits,
    tells_apart,
)
from tfcourse.files import replacing, write_json

# How many of the likeliest classes `classify` lists.
_TOP = 5


def export_saved_model(
    model,
    path,
    *,
    labels=None,
    input_names=None,
    overwrite=False,
    metadata=None,
):
    """Writes a Keras model as a SavedModel.

    Its endpoints take any number of examples, as one tensor `features`, or as
    several by their names:

    - `serve` (also the default): what the model returns, as `outputs`, or
      several by their names.
    - `classify`, if `labels` are given: `label` and its `probability` for each
      example; `top_labels` and `top_probabilities` of the five likeliest
      classes, likeliest first; and `probabilities` `(m, C)` in the order of
      the labels. The model's outputs are taken as logits if its loss does so.

    There is no optimizer and no class of tfcourse in it: it loads with
    `tf.saved_model.load`, and with
    `keras.layers.TFSMLayer(path, call_endpoint="serve")`.

    Args:
        model: A built Keras model: functional, sequential or subclassed.
        path: The folder to write, beside it first and then renamed.
        labels: The classes in the order of the outputs: all text or all
            integers; anything else is written as text.
        input_names: Names for the inputs, a list; by default `features` for a
            single input, else the names of the model's inputs.
        overwrite: Whether to replace an existing `path`.
        metadata: What else to write down about the model, for JSON. Of it
            `tfcourse predict` reads `feature_names`, the columns of a table,
            and `ranges`, the lowest and highest value that a column may have,
            by its name; people read e.g. `units`.

    Raises:
        InputError: If `path` exists and `overwrite` is false, if the model is
            not built, if the labels are not as many as the outputs or the
            names not as many as the inputs, or if the written model does not
            return what the model does, with or without XLA.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> export_saved_model(model, "saved", labels=["no", "yes"])
    >>> loaded = tf.saved_model.load("saved")
    >>> loaded.classify(tf.constant([[0.0, 1.0]]))["label"].numpy().tolist()
    [b'yes']
    """
    import keras
    import tensorflow as tf

    from tfcourse.export.ports import Ports
    from tfcourse.export.proof import check_equal

    path = pathlib.Path(path)
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists already. Choose another path, or say "
            "`overwrite=True` to replace it."
        )
    ports = Ports(model, input_names)
    signature = [
        tf.TensorSpec(shape, dtype, name=name)
        for shape, dtype, name in zip(
            ports.shapes, ports.dtypes, ports.names, strict=True
        )
    ]
    archive = keras.export.ExportArchive()
    archive.track(model)

    def serve(*inputs):
        return ports.call(*inputs)

    archive.add_endpoint("serve", serve, input_signature=signature)
    if labels is not None:
        labels = list(labels)
        _check_labels(model, ports, labels)
        archive.add_endpoint(
            "classify",
            _classifier(model, ports, labels),
            input_signature=signature,
        )
    described = {
        "tfcourse": __version__,
        "labels": labels,
        "inputs": ports.names,
        **(metadata or {}),
    }
    with replacing(path) as beside:
        archive.write_out(beside, verbose=False)
        (beside / METADATA).parent.mkdir()
        write_json(beside / METADATA, described, indent=1)
        check_equal(model, ports, beside)


def _check_labels(model, ports, labels):
    from tfcourse.export.proof import sample_of

    outputs = ports.call(*sample_of(ports))
    if len(outputs) > 1:
        raise InputError(
            f"The model {model.name!r} has {len(outputs)} outputs, and labels "
            "name the classes of a single one. Leave `labels` out."
        )
    (width,) = (output.shape[-1] for output in outputs.values())
    if not tells_apart(width, len(labels)):
        raise InputError(
            f"There are {len(labels)} labels for the {width} outputs of the "
            f"model {model.name!r}. Give one label an output, or two for a "
            "single output."
        )


def _classifier(model, ports, labels):
    import tensorflow as tf

    integers = all(type(label) is int for label in labels)
    names = tf.constant(labels if integers else [str(i) for i in labels])
    logits = takes_logits(model)

    def classify(*inputs):
        (outputs,) = ports.call(*inputs).values()
        probabilities = probabilities_of(outputs, logits)
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
