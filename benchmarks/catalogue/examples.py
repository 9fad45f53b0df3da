"""Examples of keras.io, with the search that a reader puts around them."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from catalogue.search import Search, labelled

EarlyStopping = keras.callbacks.EarlyStopping


def log_rate(hp):
    return hp.Float("lr", 1e-4, 1e-2, sampling="log")


def classifier(inputs, outputs, hp):
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(log_rate(hp)),
        "sparse_categorical_crossentropy",
        metrics=["sparse_categorical_accuracy"],
    )
    return model


def s32(folder):
    """Time series, convolutions."""

    def build(hp):
        filters = hp.Choice("filters", [32, 64])
        inputs = x = keras.Input((60, 1))
        for _ in range(3):
            x = layers.Conv1D(filters, 3, padding="same")(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
        x = layers.GlobalAveragePooling1D()(x)
        outputs = layers.Dense(2, activation="softmax")(x)
        return classifier(inputs, outputs, hp)

    callbacks = [
        keras.callbacks.ModelCheckpoint(
            f"{folder}/series.keras", save_best_only=True
        ),
        keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=20, min_lr=1e-4),
        EarlyStopping("val_loss", patience=50),
    ]
    fit = {
        "epochs": 3,
        "batch_size": 32,
        "validation_split": 0.2,
        "callbacks": callbacks,
    }
    train, _ = labelled((60, 1), 160, classes=2)
    return Search(build, "val_loss", train, fit)


def s33(folder):
    """Time series, transformer."""

    def block(inputs, rate):
        x = layers.MultiHeadAttention(2, 32, dropout=rate)(inputs, inputs)
        x = layers.LayerNormalization(epsilon=1e-6)(layers.Dropout(rate)(x))
        summed = x + inputs
        x = layers.Conv1D(4, 1, activation="relu")(summed)
        x = layers.Conv1D(1, 1)(layers.Dropout(rate)(x))
        return layers.LayerNormalization(epsilon=1e-6)(x) + summed

    def build(hp):
        rate = hp.Float("dropout", 0.0, 0.4, step=0.2)
        inputs = keras.Input((24, 1))
        x = block(block(inputs, rate), rate)
        x = layers.GlobalAveragePooling1D(data_format="channels_last")(x)
        x = layers.Dropout(0.4)(layers.Dense(32, activation="relu")(x))
        outputs = layers.Dense(2, activation="softmax")(x)
        return classifier(inputs, outputs, hp)

    train, _ = labelled((24, 1), 96, classes=2)
    stops = EarlyStopping(patience=10, restore_best_weights=True)
    fit = {"epochs": 3, "validation_split": 0.2, "callbacks": [stops]}
    return Search(build, "val_loss", train, fit)


def s34(folder):
    """Text, convolutions."""

    def build(hp):
        inputs = keras.Input((None,), dtype="int64")
        x = layers.Embedding(200, hp.Choice("embedding", [32, 64]))(inputs)
        x = layers.Dropout(0.5)(x)
        for _ in range(2):
            x = layers.Conv1D(64, 7, strides=3, activation="relu")(x)
        x = layers.GlobalMaxPooling1D()(x)
        x = layers.Dropout(0.5)(layers.Dense(64, activation="relu")(x))
        outputs = layers.Dense(1, activation="sigmoid")(x)
        model = keras.Model(inputs, outputs)
        model.compile(
            keras.optimizers.Adam(log_rate(hp)),
            "binary_crossentropy",
            metrics=["accuracy"],
        )
        return model

    rng = np.random.default_rng(34)
    x = rng.integers(0, 200, (200, 60)).astype("int32")
    y = (x[:, :20].mean(1) > 100).astype("int32")
    train, held_out = (
        tf.data.Dataset.from_tensor_slices(part).batch(32)
        for part in [(x[:160], y[:160]), (x[160:], y[160:])]
    )
    fit = {"epochs": 2, "validation_data": held_out}
    return Search(build, "val_accuracy", (train,), fit)


@keras.saving.register_keras_serializable("catalogue")
class GatedLinearUnit(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.linear = layers.Dense(units)
        self.sigmoid = layers.Dense(units, activation="sigmoid")

    def call(self, inputs):
        return self.linear(inputs) * self.sigmoid(inputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("catalogue")
class GatedResidualNetwork(layers.Layer):
    """Its projection is only called if the sizes differ."""

    def __init__(self, units, dropout_rate, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dropout_rate = units, dropout_rate
        self.elu_dense = layers.Dense(units, activation="elu")
        self.linear_dense = layers.Dense(units)
        self.dropout = layers.Dropout(dropout_rate)
        self.gate = GatedLinearUnit(units)
        self.layer_norm = layers.LayerNormalization()
        self.project = layers.Dense(units)

    def call(self, inputs):
        x = self.linear_dense(self.elu_dense(inputs))
        x = self.gate(self.dropout(x))
        if inputs.shape[-1] != self.units:
            inputs = self.project(inputs)
        return self.layer_norm(inputs + x)

    def get_config(self):
        own = {"units": self.units, "dropout_rate": self.dropout_rate}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("catalogue")
class VariableSelection(layers.Layer):
    """Weighs the features, each of which has a network of its own."""

    def __init__(self, count, units, dropout_rate, **kwargs):
        super().__init__(**kwargs)
        self.count, self.units = count, units
        self.dropout_rate = dropout_rate
        self.grns = [
            GatedResidualNetwork(units, dropout_rate) for _ in range(count)
        ]
        self.concat = GatedResidualNetwork(units, dropout_rate)
        self.softmax = layers.Dense(count, activation="softmax")

    def call(self, inputs):
        weights = self.softmax(self.concat(ops.concatenate(inputs, -1)))
        features = [grn(x) for grn, x in zip(self.grns, inputs, strict=True)]
        stacked = ops.stack(features, axis=1)
        return ops.sum(ops.expand_dims(weights, -1) * stacked, axis=1)

    def get_config(self):
        own = {
            "count": self.count,
            "units": self.units,
            "dropout_rate": self.dropout_rate,
        }
        return {**super().get_config(), **own}


def s35(folder):
    """Gated residual networks: layers that own layers, and a dict of inputs."""

    def build(hp):
        units = hp.Choice("units", [8, 16])
        inputs = {
            "age": keras.Input((1,), name="age"),
            "wage": keras.Input((1,), name="wage"),
            "education": keras.Input((1,), name="education", dtype="int64"),
        }
        features = [
            layers.Dense(units)(inputs["age"]),
            layers.Dense(units)(inputs["wage"]),
            layers.Flatten()(layers.Embedding(5, units)(inputs["education"])),
        ]
        selected = VariableSelection(
            3, units, hp.Choice("dropout", [0.1, 0.15])
        )(features)
        outputs = layers.Dense(1, activation="sigmoid")(selected)
        optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
        model = keras.Model(inputs, outputs)
        model.compile(
            optimizer[hp.Choice("optimizer", ["adam", "sgd"])](
                hp.Choice("lr", [1e-1, 1e-2, 1e-3, 1e-4])
            ),
            "binary_crossentropy",
            metrics=["accuracy"],
        )
        return model

    rng = np.random.default_rng(35)
    x = {
        "age": rng.normal(size=(300, 1)).astype("float32"),
        "wage": rng.normal(size=(300, 1)).astype("float32"),
        "education": rng.integers(0, 5, (300, 1)),
    }
    y = (x["age"] + x["wage"] + x["education"] > 2).astype("float32")
    weights = rng.uniform(0.5, 2.0, 300).astype("float32")
    every = tf.data.Dataset.from_tensor_slices((x, y, weights))
    stops = EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    fit = {
        "epochs": 3,
        "validation_data": every.skip(240).batch(32),
        "callbacks": [stops],
    }
    return Search(build, "val_accuracy", (every.take(240).batch(32),), fit)
