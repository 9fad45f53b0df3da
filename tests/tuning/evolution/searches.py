"""Small searches that evolve."""

import keras

import tfcourse
from tests.helpers.side_by_side import examples
from tfcourse.tuning import Evolution, one_minus_log_uniform

X, Y = examples(24)


def of_keras(hp):
    l2 = hp.Float("l2", 1e-5, 1e-1, sampling="log")
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(
                4, "tanh", kernel_regularizer=keras.regularizers.L2(l2)
            ),
            keras.layers.Dropout(hp.Float("rate", 0.1, 0.5)),
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.Adam(
        hp.Float("learning_rate", 1e-4, 1e-1, sampling="log"),
        beta_1=one_minus_log_uniform(hp, "beta", 0.5, 0.99),
    )
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def of_tfcourse(hp):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            tfcourse.layers.BatchNormalization(),
            keras.layers.Activation("relu"),
            tfcourse.layers.InvertedDropout(hp.Float("keep_prob", 0.5, 0.9)),
            keras.layers.Dense(1),
        ]
    )
    optimizer = tfcourse.optimizers.Momentum(
        hp.Float("learning_rate", 1e-4, 1e-1, sampling="log"),
        beta=one_minus_log_uniform(hp, "beta", 0.5, 0.99),
    )
    model.compile(optimizer, "mse")
    return model


def rate_only(hp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    rate = hp.Float("learning_rate", 1e-5, 1e-2, sampling="log")
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def searched(folder, build=rate_only, epochs=6, fit=None, **settings):
    settings = {"population": 8, "project_name": "p"} | settings
    tuner = Evolution(build, "val_loss", directory=folder, **settings)
    tuner.search(
        X[:16],
        Y[:16],
        validation_data=(X[16:], Y[16:]),
        batch_size=6,
        epochs=epochs,
        verbose=0,
        **(fit or {}),
    )
    return tuner


NAMED = {"project_name": "p"}
FIT = {
    "validation_data": (X[16:], Y[16:]),
    "batch_size": 6,
    "epochs": 4,
    "verbose": 0,
}
