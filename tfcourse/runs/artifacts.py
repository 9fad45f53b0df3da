"""What a finished run leaves: the model in two formats, and examples."""

import pathlib
from typing import Any

import keras
import numpy as np

from tfcourse.export import class_probabilities, export_saved_model
from tfcourse.runs.prepared_data import Part, PreparedData, in_batches
from tfcourse.utils.atomic_files import replacing, write_text
from tfcourse.utils.environment import package_versions


def with_normalization(network: keras.Model, data: PreparedData) -> keras.Model:
    """Returns a model of raw features: a network, normalization before it.

    Args:
        network: The compiled model that was trained.
        data: What it was trained on.
    """
    features = keras.Input(data.input_shape, name="features")
    outputs = network(data.normalization(features))
    model = keras.Model(features, outputs)
    # Not by the network's config, which knows no class of the user's.
    optimizer = type(network.optimizer).from_config(
        network.optimizer.get_config()
    )
    model.compile(optimizer, network.loss, metrics=["accuracy"])
    optimizer.build(model.trainable_variables)
    return model


def accuracy(model: keras.Model, data: PreparedData, part: Part) -> float:
    """Returns the share of a set that a model gets right.

    Args:
        model: What `with_normalization` returns.
        data: What it was trained on.
        part: `"train"`, `"dev"` or `"test"`.
    """
    positions = getattr(data.split, part)
    probabilities = in_batches(
        lambda x: class_probabilities(model, x), data.dataset.x[positions]
    )
    right = probabilities.argmax(axis=-1) == data.dataset.y[positions]
    return float(right.mean())


def write_model(
    model: keras.Model,
    data: PreparedData,
    folder: pathlib.Path,
    target: str | None = None,
    **metadata: Any,
) -> None:
    """Writes `model.keras`, `model/` and some examples of the test set.

    Args:
        model: What `with_normalization` returns.
        data: What it was trained on.
        folder: Where to write.
        target: What to call the column of the classes.
        **metadata: What the SavedModel is to say of itself, beside data and
            versions.
    """
    dataset = data.dataset
    with replacing(folder / "model.keras") as beside:
        model.save(beside)
    export_saved_model(
        model,
        folder / "model",
        labels=list(dataset.labels),
        overwrite=True,
        metadata={
            "data": data.describe(),
            "feature_names": dataset.feature_names,
            "versions": package_versions(),
            **metadata,
        },
    )
    if dataset.feature_names:
        table = data.example_table(target or "class")
        write_text(folder / "examples.csv", table)
    else:
        with replacing(folder / "examples.npz") as beside:
            np.savez(beside, **data.example_arrays())
