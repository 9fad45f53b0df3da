"""Users' searches of networks over series."""

import functools

import keras
import keras_tuner
import numpy as np
from keras import layers

from catalogue.search import Search, objective, values

EarlyStopping = keras.callbacks.EarlyStopping


def optimizer_of(hp, names):
    """Returns an optimizer of one of some names, and a drawn rate."""
    made = {
        "adam": keras.optimizers.Adam,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }[hp.Choice("optimizer", names)]
    return made(hp.Choice("lr", [1e-2, 1e-3, 1e-4]))


def wide(hp, name, low=32, high=256, step=32):
    return hp.Int(name, low, high, step=step)


def share(hp, name):
    return hp.Float(name, 0.0, 0.5, step=0.1)


def s11(folder):
    """Stock series, one to three GRUs."""

    def build(hp):
        model = keras.Sequential()
        count = hp.Int("layers", 1, 3)
        for i in range(count):
            width = wide(hp, f"units_{i}", 25, 200, 25)
            model.add(layers.GRU(width, return_sequences=i < count - 1))
        model.add(layers.Dense(1))
        model.compile(optimizer_of(hp, ["adam", "rmsprop", "sgd"]), "mse")
        return model

    fit = {
        "epochs": 2,
        "validation_split": 0.2,
        "callbacks": [EarlyStopping("val_loss", patience=5)],
    }
    return Search(build, "val_loss", values((30, 8), 200), fit)


def convolutions(hp, shape):
    filters, kernel = wide(hp, "b", high=512), hp.Int("k", 1, 4)
    model = keras.Sequential()
    dense = layers.Dense(
        wide(hp, "a", high=512), activation="relu", input_shape=shape
    )
    model.add(dense)
    for _ in range(2):
        model.add(layers.Conv1D(filters, kernel, activation="relu"))
        model.add(layers.MaxPooling1D(2, padding="same"))
        model.add(layers.Dropout(0.25))
    model.add(layers.Flatten())
    model.add(layers.Dense(wide(hp, "c", high=512), activation="relu"))
    model.add(layers.Dropout(0.25))
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(1))
    model.compile("adam", "mse", metrics=["mse"])
    return model


def s12(folder):
    """Two convolutions over a sequence; build is a partial."""
    build = functools.partial(convolutions, shape=(40, 8))
    fit = {"epochs": 2, "validation_split": 0.2}
    return Search(build, objective("mse", "min"), values((40, 8), 300), fit)


def s15(folder):
    """Stacked LSTM: depth, widths, rates."""

    def build(hp):
        model = keras.Sequential()
        count = hp.Int("layers", 1, 4)
        for i in range(count):
            width = wide(hp, f"units_{i}")
            model.add(layers.LSTM(width, return_sequences=i < count - 1))
            model.add(layers.Dropout(share(hp, f"dropout_{i}")))
        model.add(layers.Dense(1))
        model.compile(hp.Choice("optimizer", ["adam", "rmsprop"]), "mse")
        return model

    x, y = values((30, 1), 160)
    fit = {"epochs": 2, "validation_data": (x[128:], y[128:])}
    return Search(build, "val_loss", (x[:128], y[:128]), fit)


def s17(folder):
    """Two LSTM that share their hyperparameters."""

    def build(hp):
        width, rate = wide(hp, "units", high=512), share(hp, "dropout")
        model = keras.Sequential()
        model.add(
            layers.LSTM(width, return_sequences=True, input_shape=(24, 3))
        )
        model.add(layers.Dropout(rate))
        model.add(layers.LSTM(width))
        model.add(layers.Dropout(rate))
        model.add(layers.Dense(wide(hp, "dense", 16, 256, 16)))
        model.add(layers.Dense(1))
        model.compile("adam", "mse")
        return model

    x, y = values((24, 3), 160)
    fit = {"epochs": 2, "validation_data": (x[128:], y[128:])}
    return Search(build, "val_loss", (x[:128], y[:128]), fit)


class Frames(keras.utils.PyDataset):
    """Batches of two films of four frames."""

    def __init__(self, count, seed):
        super().__init__()
        rng = np.random.default_rng(seed)
        self._x = rng.normal(size=(count, 2, 4, 12, 12, 6)).astype("float32")
        self._y = rng.normal(size=(count, 2, 4, 12, 12, 14)).astype("float32")

    def __len__(self):
        return len(self._x)

    def __getitem__(self, index):
        return self._x[index], self._y[index]


def s18(folder):
    """ConvLSTM from a Sequence."""

    def build(hp):
        model = keras.Sequential([keras.Input((4, 12, 12, 6))])
        model.add(
            layers.ConvLSTM2D(
                wide(hp, "filters", 16, 64, 16),
                (3, 3),
                padding="same",
                return_sequences=True,
            )
        )
        model.add(layers.Dropout(hp.Float("dropout", 0.2, 0.5, step=0.1)))
        model.add(layers.Conv3D(14, (1, 1, 1)))
        rate = hp.Float("lr", 1e-4, 1e-2, sampling="log")
        model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
        return model

    fit = {"epochs": 2, "validation_data": Frames(4, 1)}
    return Search(build, "val_loss", (Frames(16, 0),), fit)


def s21(folder):
    """LSTM stack, Bayesian oracle."""

    def build(hp):
        model = keras.Sequential()
        model.add(
            layers.LSTM(
                wide(hp, "a"),
                return_sequences=True,
                activation="tanh",
                input_shape=(20, 5),
            )
        )
        for i in range(hp.Int("layers", 1, 2)):
            model.add(layers.LSTM(wide(hp, f"b_{i}"), return_sequences=True))
        model.add(layers.LSTM(wide(hp, "c")))
        model.add(layers.Dropout(share(hp, "dropout")))
        model.add(layers.Dense(3))
        rate = hp.Choice("lr", [1e-3, 1e-4])
        loss = "mean_absolute_error"
        model.compile(keras.optimizers.Adam(rate), loss, metrics=[loss])
        return model

    def oracle(trials):
        return keras_tuner.oracles.BayesianOptimizationOracle(
            objective("val_loss", "min"), max_trials=trials, seed=1
        )

    stops = EarlyStopping(min_delta=1e-9, patience=10)
    fit = {
        "epochs": 2,
        "batch_size": 64,
        "validation_split": 0.2,
        "callbacks": [stops],
    }
    data = values((20, 5), 240, 3)
    return Search(build, "val_loss", data, fit, oracle=oracle)


def s22(folder):
    """Heating load: LSTM with dropout inside, an l2."""

    def build(hp):
        def lstm(name, low, high, step, more):
            return layers.LSTM(
                wide(hp, name, low, high, step),
                return_sequences=more,
                dropout=share(hp, f"{name}_dropout"),
                recurrent_dropout=share(hp, f"{name}_recurrent"),
            )

        two = hp.Boolean("two")
        model = keras.Sequential([keras.Input((24, 10))])
        model.add(lstm("first", 32, 256, 32, two))
        if two:
            model.add(lstm("second", 32, 128, 16, False))
        strength = hp.Float("l2", 1e-4, 1e-2, sampling="log")
        model.add(
            layers.Dense(
                wide(hp, "dense", 16, 64, 16),
                "relu",
                kernel_regularizer=keras.regularizers.L2(strength),
            )
        )
        model.add(layers.Dense(1))
        rate = hp.Float("lr", 1e-4, 1e-2, sampling="log")
        model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "mse")
        return model

    x, y = values((24, 10), 160)
    callbacks = [
        EarlyStopping(patience=5, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(factor=0.2, patience=3, min_lr=1e-6),
    ]
    fit = {
        "epochs": 2,
        "validation_data": (x[128:], y[128:]),
        "callbacks": callbacks,
    }
    return Search(build, "val_loss", (x[:128], y[:128]), fit)
