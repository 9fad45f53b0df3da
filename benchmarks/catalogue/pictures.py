"""Users' searches of networks over images and boards."""

import keras
import keras_tuner
import tensorflow as tf
from keras import layers

from catalogue.search import Search, images, labelled

EarlyStopping = keras.callbacks.EarlyStopping


def batched(part, size=32):
    return tf.data.Dataset.from_tensor_slices(part).batch(size)


def inception(x, maps):
    """Returns four branches, joined."""

    def convolved(x, filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")(
            x
        )

    pooled = layers.MaxPooling2D(3, 1, padding="same")(x)
    return layers.Concatenate()(
        [
            convolved(x, maps, 1),
            convolved(convolved(x, maps, 1), maps, 3),
            convolved(convolved(x, maps, 1), maps, 5),
            convolved(pooled, maps, 1),
        ]
    )


def s19(folder):
    """Inception blocks: a rate and a learning rate."""

    def build(hp):
        inputs = keras.Input((32, 32, 3))
        x = layers.Rescaling(1 / 255)(inputs)
        x = layers.Conv2D(16, 7, strides=2, padding="same", activation="relu")(
            x
        )
        x = layers.MaxPooling2D()(x)
        x = inception(inception(x, 8), 8)
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Dense(64, activation="relu")(x)
        x = layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.1))(x)
        outputs = layers.Dense(2, activation="softmax")(x)
        rates = [5e-2, 1e-2, 5e-3, 1e-3, 5e-4, 1e-4, 5e-5, 1e-5]
        model = keras.Model(inputs, outputs)
        model.compile(
            keras.optimizers.Adam(hp.Choice("lr", rates)),
            "categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    train, held_out = images(32, 3, 128, 32, classes=2, hot=True, high=255.0)
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            f"{folder}/inception.keras", "val_loss", save_best_only=True
        ),
        EarlyStopping(patience=15, restore_best_weights=True),
    ]
    fit = {
        "epochs": 2,
        "validation_data": batched(held_out),
        "callbacks": callbacks,
    }
    return Search(build, "val_loss", (batched(train),), fit)


def s20(folder):
    """Go boards: endless data, a strategy, hyperparameters from outside."""
    hp = keras_tuner.HyperParameters()
    hp.Choice("units", [64, 128, 256])
    hp.Choice("activation", ["relu", "elu", "selu"])
    hp.Choice("lr", [1e-4, 1e-3, 1e-2])

    def build(hp):
        model = keras.Sequential([keras.Input((19, 19, 7))])
        for pad, filters, size in [(3, 48, 7), (2, 32, 5)]:
            model.add(layers.ZeroPadding2D(pad))
            model.add(layers.Conv2D(filters, size))
            model.add(layers.Activation("relu"))
        model.add(layers.Flatten())
        model.add(layers.Dense(hp.get("units")))
        model.add(layers.Activation(hp.get("activation")))
        model.add(layers.Dense(20, activation="softmax"))
        model.compile(
            keras.optimizers.Adam(hp.get("lr")),
            "categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    train, held_out = images(19, 7, 96, 32, classes=20, hot=True)
    fit = {
        "epochs": 2,
        "steps_per_epoch": 3,
        "validation_data": batched(held_out).repeat(),
        "validation_steps": 1,
        "callbacks": [EarlyStopping("val_accuracy")],
    }
    settings = {
        "hyperparameters": hp,
        "distribution_strategy": tf.distribute.OneDeviceStrategy("/cpu:0"),
    }
    endless = batched(train).repeat()
    return Search(build, "val_accuracy", (endless,), fit, settings)


def s24(folder):
    """Leaves: images into dense layers, by activation and initializer."""

    def build(hp):
        model = keras.Sequential([keras.Input((40, 40, 3)), layers.Flatten()])
        act = hp.Choice("activation", ["relu", "tanh", "elu"])
        kernel = hp.Choice(
            "initializer", ["glorot_uniform", "he_normal", "random_normal"]
        )
        for units in [
            hp.Int("a", 32, 256, step=32),
            hp.Int("b", 16, 128, step=16),
        ]:
            model.add(layers.Dense(units, act, kernel_initializer=kernel))
        model.add(layers.Dense(3, activation="softmax"))
        optimizer = {
            "adam": keras.optimizers.Adam,
            "sgd": keras.optimizers.SGD,
            "rmsprop": keras.optimizers.RMSprop,
        }[hp.Choice("optimizer", ["adam", "sgd", "rmsprop"])]
        model.compile(
            optimizer(hp.Choice("lr", [1e-4, 1e-3, 1e-2])),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    train, held_out = images(40, 3, 240, 60, classes=3)
    fit = {"epochs": 3, "validation_data": batched(held_out)}
    return Search(build, "val_accuracy", (batched(train),), fit)


def s27(folder):
    """Spectrograms: four blocks of one to three convolutions."""

    def build(hp):
        act = hp.Choice("activation", ["relu", "sigmoid"])
        depth = hp.Int("depth", 1, 3)
        model = keras.Sequential([keras.Input((32, 32, 3))])
        for maps in (8, 16, 32, 64):
            for _ in range(depth):
                model.add(
                    layers.Conv2D(maps, 3, padding="same", activation=act)
                )
            model.add(layers.BatchNormalization())
            model.add(layers.MaxPooling2D())
        model.add(layers.Flatten())
        model.add(layers.Dense(128, activation=act))
        model.add(layers.BatchNormalization())
        if hp.Boolean("drop"):
            model.add(layers.Dropout(hp.Float("rate", 0.1, 0.5, step=0.1)))
        model.add(layers.Dense(3, activation="softmax"))
        rate = hp.Float("lr", 1e-4, 1e-2, sampling="log")
        model.compile(
            keras.optimizers.Adam(rate),
            "categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    train, held_out = images(32, 3, 64, 32, classes=3, hot=True)
    fit = {"epochs": 2, "validation_data": held_out}
    return Search(build, "val_accuracy", train, fit)


def s28(folder):
    """Digits: a small convolutional network of six points."""

    def build(hp):
        model = keras.Sequential()
        model.add(
            layers.Conv2D(
                hp.Int("a", 32, 96, step=32),
                3,
                activation="relu",
                input_shape=(28, 28, 1),
            )
        )
        model.add(layers.MaxPooling2D())
        model.add(
            layers.Conv2D(hp.Int("b", 32, 64, step=32), 3, activation="relu")
        )
        model.add(layers.MaxPooling2D())
        model.add(layers.Conv2D(64, 3, activation="relu"))
        model.add(layers.Flatten())
        model.add(layers.Dense(20, activation="relu"))
        model.add(layers.Dense(10))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        return model

    train, held_out = labelled((28, 28, 1), 240, 60, classes=10)
    fit = {"epochs": 2, "validation_data": held_out}
    return Search(build, "val_accuracy", train, fit, trials=6)
