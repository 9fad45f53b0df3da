"""SavedModels that load and serve where tfcourse is not installed."""

import pathlib

import numpy as np

from tfcourse import __version__
from tfcourse.errors import InputError
from tfcourse.files import read_json, replacing, write_json

# Read by people and by `tfcourse predict`; TensorFlow leaves it alone.
_METADATA = pathlib.Path("assets.extra", "tfcourse.json")


def export_saved_model(
    model, path, *, labels=None, overwrite=False, metadata=None
):
    """Writes a Keras model as a SavedModel.

    Its endpoints take one tensor, `features`, of any number of examples:

    - `serve` (also the default): what the model returns, `outputs`.
    - `classify`, if `labels` are given: `label` and its `probability` for each
      example, and `probabilities` `(m, C)` in the order of the labels. The
      model's outputs are taken as logits if its loss does so.

    Args:
        model: A built Keras model of one input and one output.
        path: The folder to write, beside it first and then renamed.
        labels: The classes in the order of the outputs: all text or all
            integers; anything else is written as text.
        overwrite: Whether to replace an existing `path`.
        metadata: What else to write down about the model, for JSON.

    Raises:
        InputError: If `path` exists and `overwrite` is false, if the model is
            not built or has several inputs or outputs, if the labels are not
            as many as the outputs, or if the written model does not return
            what the model does.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> export_saved_model(model, "saved", labels=["no", "yes"])
    >>> loaded = tf.saved_model.load("saved")
    >>> loaded.classify(tf.constant([[0.0, 1.0]]))["label"].numpy().tolist()
    [b'yes']
    """
    import keras
    import tensorflow as tf

    path = pathlib.Path(path)
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists already. Choose another path, or say "
            "`overwrite=True` to replace it."
        )
    _check_model(model, labels)
    signature = [tf.TensorSpec(model.input_shape, name="features")]

    def serve(features):
        return {"outputs": model(features, training=False)}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, input_signature=signature)
    if labels is not None:
        classify = _classifier(model, labels)
        archive.add_endpoint("classify", classify, input_signature=signature)
    with replacing(path) as beside:
        archive.write_out(beside, verbose=False)
        (beside / _METADATA).parent.mkdir()
        write_json(
            beside / _METADATA,
            {"tfcourse": __version__, "labels": labels, **(metadata or {})},
            indent=1,
        )
        _check_equal(model, beside)


def tells_apart(outputs, classes):
    """Returns whether a model of that many outputs can tell classes apart."""
    return outputs == classes or (outputs == 1 and classes == 2)


def class_probabilities(model, features):
    """Returns the probability of each class.

    Args:
        model: A Keras classifier. Its outputs are taken as logits if its loss
            has `from_logits=True`. A single output is that of the second of
            two classes.
        features: Shape `(m, ...)`.

    Returns:
        A tensor of shape `(m, C)`.
    """
    from keras import ops

    outputs = model(features, training=False)
    logits = getattr(model.loss, "from_logits", False)
    if outputs.shape[-1] == 1:
        p = ops.sigmoid(outputs) if logits else outputs
        return ops.concatenate([1 - p, p], axis=-1)
    return ops.softmax(outputs) if logits else outputs


def load_saved_model(path):
    """Returns a SavedModel and its metadata.

    Args:
        path: A folder that `export_saved_model` wrote.

    Returns:
        The object of `tf.saved_model.load`, and a dict, empty if the folder
        was written by something else.

    Raises:
        InputError: If `path` is no SavedModel.
    """
    import tensorflow as tf

    path = pathlib.Path(path)
    if not (path / "saved_model.pb").is_file():
        raise InputError(
            f"{path} is no SavedModel: there is no saved_model.pb in it. Give "
            "the folder that was exported, e.g. runs/NAME/model."
        )
    try:
        loaded = tf.saved_model.load(path)
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise InputError(
            f"{path} cannot be loaded; export it again. TensorFlow says: "
            f"{str(error).splitlines()[0]}"
        ) from error
    described = path / _METADATA
    return loaded, read_json(described) if described.is_file() else {}


def _check_model(model, labels):
    if not model.built:
        raise InputError(
            f"The model {model.name!r} is not built. Call it on a batch, or "
            "give it a `keras.Input`, before exporting it."
        )
    shapes = (model.input_shape, model.output_shape)
    if not all(isinstance(shape, tuple) for shape in shapes):
        raise InputError(
            f"The model {model.name!r} must have one input and one output. It "
            f"has inputs {shapes[0]} and outputs {shapes[1]}."
        )
    outputs = model.output_shape[-1]
    if labels is not None and not tells_apart(outputs, len(labels)):
        raise InputError(
            f"There are {len(labels)} labels for the {outputs} outputs of the "
            f"model {model.name!r}. Give one label an output, or two for a "
            "single output."
        )


def _classifier(model, labels):
    import tensorflow as tf

    integers = all(type(label) is int for label in labels)
    names = tf.constant(labels if integers else [str(i) for i in labels])

    def classify(features):
        probabilities = class_probabilities(model, features)
        best = tf.argmax(probabilities, axis=-1)
        return {
            "label": tf.gather(names, best),
            "probability": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    return classify


def _check_equal(model, path):
    """Raises unless the written model returns what the model returns."""
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    shape = [3 if size is None else size for size in model.input_shape]
    sample = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = np.asarray(model(sample, training=False))
    # In two parts, because an example's answer must not depend on others.
    parts = [loaded.serve(part)["outputs"] for part in (sample[:1], sample[1:])]
    actual = np.concatenate(parts)
    if not np.allclose(actual, expected, rtol=1e-4, atol=1e-5):
        raise InputError(
            f"The exported model returns other values than {model.name!r}, by "
            f"up to {np.abs(actual - expected).max():.2g}. Does the model "
            "behave at random, or depend on the batch, at inference?"
        )
