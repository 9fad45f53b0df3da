"""The search spaces that are measured, and one search of one of them.

Of tfcourse only public names are used here, so that other versions of it can be
measured by the same lines.
"""

import tempfile
import time

import keras
import keras_tuner
from keras import layers
from sklearn.datasets import load_digits

from tfcourse.layers import BatchNormalization
from tfcourse.optimizers import Momentum
from tfcourse.tuning import CourseSpace, log_uniform, one_minus_log_uniform

OBJECTIVE = keras_tuner.Objective("val_accuracy", "max")
BATCH = 64


def digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    return (x[:1437], y[:1437]), (x[1437:], y[1437:])


def searched(*hidden):
    """Returns a search space: these layers, learning rate and momentum."""

    def build(hp):
        model = keras.Sequential([keras.Input((64,))])
        for make in hidden:
            model.add(make())
        model.add(layers.Dense(10, activation="softmax"))
        rate = log_uniform(hp, "learning_rate", 1e-3, 1.0)
        beta = one_minus_log_uniform(hp, "beta", 0.9, 0.999)
        model.compile(
            Momentum(rate, beta),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    return build


def rows_as_a_sequence():
    return layers.Reshape((8, 8))


DENSE = [
    lambda: layers.Dense(64, use_bias=False),
    BatchNormalization,
    lambda: layers.Activation("relu"),
]
SPACES = {
    "mlp": searched(*DENSE, *DENSE),
    "course": CourseSpace((64,), 10),
    "cnn": searched(
        lambda: layers.Reshape((8, 8, 1)),
        lambda: layers.Conv2D(8, 3, activation="relu"),
        lambda: layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D,
        layers.Flatten,
    ),
    "lstm": searched(rows_as_a_sequence, lambda: layers.LSTM(32)),
    "gru": searched(rows_as_a_sequence, lambda: layers.GRU(32)),
}


def fit_settings(name, held_out, epochs):
    settings = {"validation_data": held_out, "epochs": epochs, "verbose": 0}
    # The course's space draws the size of its batches.
    return settings if name == "course" else settings | {"batch_size": BATCH}


def by_tuner(tuner_class, name, trials, seed, data, epochs, **settings):
    """Returns the seconds a trial, and the tuner."""
    train, held_out = data
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        tuner = tuner_class(
            SPACES[name],
            OBJECTIVE,
            max_trials=trials,
            seed=seed + 1,
            directory=folder,
            max_consecutive_failed_trials=trials + 1,
            **settings,
        )
        tuner.search(*train, **fit_settings(name, held_out, epochs))
        tuner.get_best_models(1)
        seconds = time.perf_counter() - start
    return seconds / trials, tuner
