"""What a finished run leaves: the model in two formats, and examples."""

import pathlib
from typing import Any

import keras
import numpy as np

from tfcourse.export import export_saved_model
from tfcourse.export.model_signature import ModelSignature
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.preprocessing import model_of_columns
from tfcourse.runs.scores import margin
from tfcourse.utils.atomic_files import replacing, write_text
from tfcourse.utils.environment import package_versions


def with_preprocessing(network: keras.Model, data: PreparedData) -> keras.Model:
    """Returns a model of raw features: a network, what it needs before it.

    For a table it takes a dict of its columns. For a regression it gives the
    target as it is in the data, in float64. The network has no metrics any
    more.

    Args:
        network: The compiled model that was trained.
        data: What it was trained on.
    """
    # A file names the classes of metrics, which Keras alone does not know.
    network.compile(network.optimizer, network.loss)
    if data.is_table:
        inputs, features = data.preprocessing.input, data.preprocessing.output
    else:
        inputs = keras.Input(data.dataset.x.shape[1:], name="features")
        features = data.preprocessing(inputs)
    outputs = network(features)
    if data.task == "regression":
        mean, deviation = data.target_scale
        outputs = keras.ops.cast(outputs, "float64") * deviation + mean
    model = (
        model_of_columns(inputs, outputs)
        if data.is_table
        else keras.Model(inputs, outputs)
    )
    # Not by the network's config, which knows no class of the user's.
    optimizer = type(network.optimizer).from_config(
        network.optimizer.get_config()
    )
    metrics = ["accuracy"] if data.task == "classification" else None
    model.compile(optimizer, network.loss, metrics=metrics)
    optimizer.build(model.trainable_variables)
    return model


def write_model(
    model: keras.Model,
    data: PreparedData,
    folder: pathlib.Path,
    target: str | None = None,
    **metadata: Any,
) -> None:
    """Writes `model.keras`, `model/` and some examples of the test set.

    Args:
        model: What `with_preprocessing` returns.
        data: What it was trained on.
        folder: Where to write.
        target: What to call the column to predict.
        **metadata: What the SavedModel is to say of itself, beside data and
            versions.
    """
    with replacing(folder / "model.keras") as beside:
        model.save(beside)
    write_saved_model(model, data, folder / "model", **metadata)
    if data.dataset.feature_names:
        table = data.example_table(target or "class")
        write_text(folder / "examples.csv", table)
    else:
        with replacing(folder / "examples.npz") as beside:
            np.savez(beside, **data.example_arrays())


def write_saved_model(
    model: keras.Model,
    data: PreparedData,
    path: pathlib.Path,
    **metadata: Any,
) -> None:
    """Writes a SavedModel that `tfcourse predict` can use.

    Args:
        model: A model of raw features.
        data: What it was trained on.
        path: The folder to write.
        **metadata: What it is to say of itself, beside data and versions.
    """
    dataset, spread = data.dataset, margin(model, data)
    export_saved_model(
        model,
        path,
        labels=list(dataset.labels) or None,
        overwrite=True,
        metadata={
            "data": data.describe(),
            "task": data.task,
            "feature_names": dataset.feature_names,
            **_described_columns(model, data),
            **({} if spread is None else {"margin": spread}),
            "versions": package_versions(),
            **metadata,
        },
    )


def _described_columns(model, data):
    """Returns what `tfcourse predict` needs to know of columns."""
    if not data.is_table:
        return {}
    columns = data.dataset.columns
    # The order in which Keras has the keys of a dict.
    names = sorted(column.name for column in columns)
    inputs = ModelSignature(model).spec_names
    inputs = dict(zip(names, inputs, strict=True))
    raw = data.raw(data.split.train)
    return {
        "columns": [
            {
                **column.to_json(),
                "input": inputs[column.name],
                "gaps": _has_gaps(raw[column.name]),
            }
            for column in columns
        ]
    }


def _has_gaps(values):
    empty = values == "" if values.dtype == object else np.isnan(values)
    return bool(empty.any())
