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
            on, in any order. Other columns are carried along.

    Returns:
        A `pandas.DataFrame`: the other columns, `predicted`, `probability`.

    Raises:
        InputError: If either cannot be used.
    """
    import tensorflow as tf

    model, metadata = load_saved_model(path)
    names = metadata.get("feature_names")
    if "classify" not in model.signatures or not names:
        raise InputError(
            f"{path} has no endpoint `classify` with named features. Export a "
            "model that `tfcourse tune` trained on a table."
        )
    rows, features = read_features(table, names)
    answer = model.signatures["classify"](features=tf.constant(features))
    labels = answer["label"].numpy()
    if labels.dtype == object:
        labels = np.array([label.decode() for label in labels])
    rows = rows.drop(columns=list(names))
    rows["predicted"] = labels
    rows["probability"] = answer["probability"].numpy().round(6)
    return rows
