"""Users' searches of dense networks over tables."""

import gc

import keras
import keras_tuner
import tensorflow as tf
from keras import layers, ops

from catalogue.search import Search, labelled, objective, values

EarlyStopping = keras.callbacks.EarlyStopping


def log_rate(hp, low=1e-4, high=1e-2):
    return hp.Float("lr", low, high, sampling="log")


def width(hp, name="units", low=32, high=512, step=32):
    return hp.Int(name, low, high, step=step)


def s13(folder):
    """A plain binary table; no Input."""

    def build(hp):
        model = keras.Sequential()
        model.add(layers.Dense(width(hp), activation="relu"))
        model.add(layers.Dense(1, activation="sigmoid"))
        model.compile(
            keras.optimizers.Adam(log_rate(hp)),
            "binary_crossentropy",
            metrics=["accuracy"],
        )
        return model

    train, held_out = labelled((20,), 800, 200, classes=2)
    fit = {"epochs": 3, "validation_data": held_out}
    return Search(build, "val_accuracy", train, fit)


def s14(folder):
    """Wine: Normalization adapted in build."""
    (x, y), _ = labelled((13,), 600, classes=3, hot=True, high=9.0)

    def build(hp):
        normalization = layers.Normalization()
        normalization.adapt(x)
        model = keras.Sequential([keras.Input((13,)), normalization])
        for name, low, high, step in [("a", 16, 128, 16), ("b", 8, 64, 8)]:
            units = width(hp, name, low, high, step)
            model.add(
                layers.Dense(units, "relu", kernel_initializer="he_normal")
            )
        model.add(layers.Dense(3, activation="softmax"))
        rate = hp.Choice("lr", [1e-2, 5e-3, 1e-3, 5e-4])
        model.compile(
            keras.optimizers.Adam(rate),
            "categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    stops = EarlyStopping(
        "val_accuracy", patience=10, restore_best_weights=True
    )
    fit = {
        "epochs": 3,
        "batch_size": 16,
        "validation_split": 0.2,
        "callbacks": [stops],
    }
    return Search(build, "val_accuracy", (x, y), fit)


def s16(folder):
    """Very deep networks of Dense and Dropout."""

    def build(hp):
        model = keras.Sequential([keras.Input((100,))])
        for i in range(hp.Int("layers", 2, 20)):
            act = hp.Choice("activation", ["relu", "tanh", "sigmoid"])
            model.add(layers.Dense(width(hp, f"units_{i}", 1), act))
            model.add(layers.Dropout(0.5))
        model.add(layers.Dense(2, activation="sigmoid"))
        optimizers = {
            "adam": keras.optimizers.Adam,
            "rmsprop": keras.optimizers.RMSprop,
            "sgd": keras.optimizers.SGD,
        }
        optimizer = optimizers[hp.Choice("optimizer", list(optimizers))]
        model.compile(
            optimizer(hp.Choice("lr", [1e-2, 1e-3, 1e-4])),
            "binary_crossentropy",
            metrics=["accuracy"],
        )
        return model

    train, held_out = labelled((100,), 480, 120, classes=2, hot=True)
    fit = {"epochs": 3, "validation_data": held_out}
    return Search(build, "val_accuracy", train, fit)


def s23(folder):
    """Sales: the loss is drawn, one width for all layers."""

    def build(hp):
        model = keras.Sequential([keras.Input((9,))])
        for _ in range(hp.Int("layers", 1, 3)):
            model.add(layers.Dense(width(hp, "units_{i}"), "relu"))
        model.add(layers.Dense(1))
        model.compile(
            keras.optimizers.Adam(log_rate(hp)),
            hp.Choice("loss", ["mse", "mae"]),
            metrics=["mse", keras.metrics.RootMeanSquaredError(), "mae"],
        )
        return model

    train, held_out = labelled((9,), 640, 160, dtype="float64")
    fit = {"epochs": 3, "batch_size": 25, "validation_data": held_out}
    best = objective("val_root_mean_squared_error", "min")
    twice = {"executions_per_trial": 2}
    return Search(build, best, train, fit, twice)


@keras.saving.register_keras_serializable("catalogue")
def root_mse(y_true, y_pred):
    y_true = ops.cast(y_true, y_pred.dtype)
    return ops.sqrt(ops.mean(ops.square(y_pred - y_true)))


def s25(folder):
    """Pet scores: a dense network with joined inputs, written by functions."""

    def build(hp):
        units = hp.Choice("width", [8, 16, 32, 64])
        rate = hp.Choice("dropout", [0.0, 0.1, 0.2])
        inputs = x = keras.Input((12,))
        for i in range(hp.Choice("depth", [3, 6, 9, 12])):
            x = layers.Dense(units, activation="relu")(x)
            if i % 3 == 2:
                if rate > 0:
                    x = layers.Dropout(rate)(x)
                if hp.Boolean("batch_normalization"):
                    x = layers.BatchNormalization()(x)
                x = layers.Concatenate()([x, inputs])
        outputs = layers.Dense(1, activation="relu")(x)
        model = keras.Model(inputs, outputs)
        loss = hp.Choice("loss", ["mse", "root_mse"])
        model.compile(
            keras.optimizers.Adam(hp.Float("lr", 1e-5, 5e-3)),
            "mse" if loss == "mse" else root_mse,
            metrics=["mae", root_mse],
        )
        return model

    x, y = values((12,), 1000)
    train, held_out = (
        tf.data.Dataset.from_tensor_slices(part).batch(128).cache().prefetch(2)
        for part in [(x[:800], y[:800]), (x[800:], y[800:])]
    )
    callbacks = [
        EarlyStopping(min_delta=1e-4, patience=10),
        keras.callbacks.ModelCheckpoint(
            f"{folder}/pets.keras", save_best_only=True
        ),
        keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=2),
    ]
    fit = {"epochs": 3, "validation_data": held_out, "callbacks": callbacks}
    return Search(build, objective("val_root_mse", "min"), (train,), fit)


def s26(folder):
    """Two numbers: a width and a learning rate."""

    def build(hp):
        model = keras.Sequential()
        model.add(layers.Dense(width(hp), activation="relu", input_shape=(6,)))
        model.add(layers.Dense(1))
        model.compile(keras.optimizers.Adam(log_rate(hp)), "mse")
        return model

    x, y = values((6,), 500)
    fit = {"epochs": 3, "validation_data": (x[400:], y[400:])}
    return Search(build, "val_loss", (x[:400], y[:400]), fit)


def s29(folder):
    """One Normalization for all models, two to six layers; no Input."""
    train, held_out = labelled((30,), 400, 100, classes=10, hot=True)
    normalization = layers.Normalization()
    normalization.adapt(train[0])

    def build(hp):
        model = keras.Sequential([normalization, layers.Flatten()])
        for i in range(hp.Int("layers", 2, 6)):
            units = width(hp, f"units_{i}", 64, 640, 64)
            model.add(layers.Dense(units, activation="relu"))
        if hp.Boolean("dropout"):
            model.add(layers.Dropout(0.25))
        model.add(layers.Dense(10, activation="softmax"))
        model.compile(
            keras.optimizers.Adam(log_rate(hp, 1e-5, 1e-3)),
            "mse",
            metrics=["accuracy"],
        )
        return model

    fit = {"epochs": 3, "validation_data": held_out}
    twice = {"executions_per_trial": 2}
    return Search(build, "val_accuracy", train, fit, twice)


def s30(folder):
    """A Dropout a layer, each with its own rate."""

    def build(hp):
        model = keras.Sequential([layers.Flatten(input_shape=(22,))])
        for i in range(hp.Int("layers", 1, 5)):
            model.add(layers.Dense(width(hp, f"units_{i}"), "relu"))
            rate = hp.Float(f"dropout_{i}", 0.0, 0.3, step=0.1)
            model.add(layers.Dropout(rate))
        model.add(layers.Dense(7, activation="softmax"))
        model.compile(
            keras.optimizers.Adam(hp.Choice("lr", [1e-2, 1e-3, 1e-4])),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    train, held_out = labelled((22,), 640, 160, classes=7)
    fit = {"epochs": 3, "validation_data": held_out}
    return Search(build, "val_accuracy", train, fit)


class ProteinWindows(keras_tuner.HyperModel):
    """Calls `model.fit`, and then collects garbage."""

    def build(self, hp):
        chosen = hp.Choice("activation", ["leaky", "sigmoid", "elu"])
        activation = (
            layers.LeakyReLU(negative_slope=0.2)
            if chosen == "leaky"
            else chosen
        )
        kernel = {
            "leaky": "he_normal",
            "sigmoid": "glorot_uniform",
            "elu": "he_uniform",
        }[chosen]
        rate = hp.Float("dropout", 0.1, 0.5, step=0.1)
        strength = hp.Float("l2", 1e-6, 1e-2, step=1e-6)
        model = keras.Sequential([keras.Input((20, 21)), layers.Flatten()])
        for i in range(hp.Int("layers", 2, 8)):
            if i < 6:
                model.add(layers.Dropout(rate))
            model.add(
                layers.Dense(
                    hp.Int(f"units_{i}", 31, 340),
                    activation,
                    kernel_initializer=kernel,
                    kernel_constraint=keras.constraints.MaxNorm(1.0),
                    kernel_regularizer=keras.regularizers.L2(strength),
                )
            )
        model.add(layers.Dense(1, activation="sigmoid"))
        step = log_rate(hp)
        if hp.Choice("optimizer", ["adam", "sgd"]) == "adam":
            optimizer = keras.optimizers.Adam(step)
        else:
            optimizer = keras.optimizers.SGD(step, 0.9, nesterov=True)
        metrics = ["accuracy", "Precision", "Recall", "AUC"]
        model.compile(optimizer, "binary_crossentropy", metrics=metrics)
        return model

    def fit(self, hp, model, *args, **kwargs):
        history = model.fit(*args, **kwargs)
        gc.collect()
        return history


def s31(folder):
    """Protein windows: class weights, TensorBoard, constraints."""
    (x, y), held_out = labelled((20, 21), 256, 64, classes=2, column=True)
    train, held_out = (
        tf.data.Dataset.from_tensor_slices(part).batch(64)
        for part in [(x, y), held_out]
    )
    callbacks = [
        keras.callbacks.TensorBoard(f"{folder}/logs"),
        keras.callbacks.ModelCheckpoint(
            f"{folder}/protein.weights.h5",
            save_weights_only=True,
            save_best_only=True,
        ),
    ]
    fit = {
        "epochs": 2,
        "validation_data": held_out,
        "class_weight": {0: 1.0, 1: 2.0},
        "callbacks": callbacks,
    }
    return Search(ProteinWindows(), "val_accuracy", (train,), fit)
