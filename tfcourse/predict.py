"""Predictions of an exported classifier for a table of examples."""

import numpy as np

from tfcourse.data.files import read_features
from tfcourse.errors import InputError
from tfcourse.export import load_saved_model


def predict_table(path, table):
    """Returns a table with the predicted class of each row.

    Args:
        path: A SavedModel that `tfcourse tune` exported.
        table: A CSV or Parquet file with the columns the model was trained
            on, in any order; or an `.npz` file with an array `x`, for a model
            trained on such.

    Returns:
        A `pandas.DataFrame`: what else is in the table, `predicted` and
        `probability`.

    Raises:
        InputError: If either cannot be used.
    """
    import tensorflow as tf

    model, metadata = load_saved_model(path)
    if "classify" not in model.signatures or "feature_names" not in metadata:
        raise InputError(
            f"{path} has no endpoint `classify` that tfcourse described. Give "
            "a model that `tfcourse tune` exported."
        )
    names = metadata["feature_names"]
    rows, features = read_features(table, names)
    shape = tuple(metadata["data"]["shape"])
    if features.shape[1:] != shape:
        raise InputError(
            f"The examples of {table} have shape {features.shape[1:]}; the "
            f"model takes {shape}."
        )
    answer = model.signatures["classify"](features=tf.constant(features))
    labels = answer["label"].numpy()
    if labels.dtype == object:
        labels = np.array([label.decode() for label in labels])
    rows["predicted"] = labels
    rows["probability"] = answer["probability"].numpy().round(6)
    return rows
