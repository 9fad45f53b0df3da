"""Handwritten digits and a small network for them, as 11 and 12 use them."""

import keras

from tfcourse import data


def fit_arguments(epochs):
    """Returns what `fit` needs: training set, dev set and so many epochs."""
    digits = data.load("digits")
    parts = data.split(digits)
    x, y = digits.x / 16, digits.y
    return {
        "x": x[parts.train],
        "y": y[parts.train],
        "validation_data": (x[parts.dev], y[parts.dev]),
        "epochs": epochs,
        "batch_size": 64,
        "verbose": 0,
    }


def network(optimizer):
    """Returns a network of one hidden layer of 32 units, compiled."""
    hidden = keras.layers.Dense(32, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model
