"""A SavedModel written from a session, for TensorFlow 2 to load."""

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfcourse import __version__
from tfcourse.errors import InputError
from tfcourse.export.loading import load_saved_model
from tfcourse.export.metadata import METADATA
from tfcourse.graph_mode.classifier.network import softmax_network
from tfcourse.graph_mode.session import (
    load_variable,
    new_graph,
    new_session,
)
from tfcourse.outputs import check_saved_model_replaceable
from tfcourse.utils.atomic_files import replacing, write_json

v1 = tf.compat.v1

# How many of the likeliest classes `classify` lists, as in `tfcourse.export`.
_TOP = 5


def export_network(
    path: str | os.PathLike,
    architecture: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    *,
    labels: Sequence[str | int] | None,
    feature_names: Sequence[str] | None,
    overwrite: bool,
    metadata: Mapping[str, Any] | None,
    expected: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Writes a softmax network; see `SoftmaxClassifier.export`.

    Args:
        architecture: The arguments of `softmax_network`.
        weights: Its variables, a dict from name to array.
        expected: The function that returns the probabilities for examples.
    """
    path = pathlib.Path(path)
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists already. Choose another path, or say "
            "`overwrite=True` to replace it."
        )
    check_saved_model_replaceable(path)
    shape = architecture["shape"]
    labels = _checked_labels(labels, architecture["classes"])
    if feature_names is not None and (len(feature_names),) != shape:
        raise InputError(
            f"There are {len(feature_names)} `feature_names` for examples of "
            f"shape {shape}. Give one name per feature."
        )
    description = {
        "tfcourse": __version__,
        "labels": labels,
        "inputs": ["features"],
        "feature_names": feature_names and list(feature_names),
        "data": {"shape": shape},
        **(metadata or {}),
    }
    with replacing(path) as beside:
        _write(beside, architecture, weights, labels)
        (beside / METADATA).parent.mkdir()
        write_json(beside / METADATA, description, indent=1)
        _check_equal(beside, shape, expected)


def _checked_labels(labels, classes):
    labels = list(range(classes)) if labels is None else list(labels)
    if len(labels) != classes:
        raise InputError(
            f"There are {len(labels)} labels for {classes} classes. Give one "
            "label per class."
        )
    # NumPy's integers are no integers to JSON.
    labels = np.asarray(labels, object).tolist()
    integers = all(type(label) is int for label in labels)
    return labels if integers else [str(label) for label in labels]


def _write(path, architecture, weights, labels):
    # A graph of its own, so that nothing of the training is in it.
    with new_graph() as graph, new_session(graph) as session:
        network = softmax_network(**architecture)
        probabilities = tf.nn.softmax(network.logits)
        top, places = tf.math.top_k(probabilities, min(_TOP, len(labels)))
        top_labels = tf.gather(tf.constant(labels), places)
        inputs = {"features": network.x}
        signature = v1.saved_model.predict_signature_def
        serve = signature(inputs, {"outputs": probabilities})
        classify = signature(
            inputs,
            {
                "label": top_labels[:, 0],
                "probability": top[:, 0],
                "top_labels": top_labels,
                "top_probabilities": top,
                "probabilities": probabilities,
            },
        )
        for variable in network.variables:
            load_variable(variable, weights[variable.op.name], session)
        session.run(v1.train.get_global_step().initializer)
        builder = v1.saved_model.Builder(str(path))
        builder.add_meta_graph_and_variables(
            session,
            [v1.saved_model.tag_constants.SERVING],
            signature_def_map={
                "serving_default": serve,
                "serve": serve,
                "classify": classify,
            },
            strip_default_attrs=True,
        )
        builder.save()


def _check_equal(path, shape, expected):
    """Raises unless the written model returns what is expected."""
    loaded, _ = load_saved_model(path)
    sample = np.random.default_rng(0).normal(size=(3, *shape))
    sample = sample.astype("float32")
    answer = loaded.signatures["serve"](features=tf.constant(sample))
    actual, wanted = answer["outputs"].numpy(), expected(sample)
    if not np.allclose(actual, wanted, rtol=1e-4, atol=1e-5):
        raise InputError(
            "The probabilities of the exported model differ from the "
            f"classifier's by up to {np.abs(actual - wanted).max():.2g}."
        )
