"""Searches as in the guides of keras.io."""

import functools

import keras
import keras_tuner
import numpy as np
import tensorflow as tf
from keras import layers

from catalogue.search import Search, images, labelled, objective

IMAGES = functools.partial(images, 28, 1)
TABLE = functools.partial(labelled, (10,), 80, 20)


def compiled(model, optimizer="adam", loss="categorical_crossentropy"):
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def units(hp, low=32, high=512, name="units"):
    return hp.Int(name, low, high, step=32)


def log_rate(hp):
    return hp.Float("lr", 1e-4, 1e-2, sampling="log")


def s01(folder):
    """The first model: no Input, one width."""

    def build(hp):
        model = keras.Sequential()
        model.add(layers.Flatten())
        model.add(layers.Dense(units(hp), activation="relu"))
        model.add(layers.Dense(10, activation="softmax"))
        return compiled(model)

    train, held_out = IMAGES(1000, 250, classes=10, hot=True)
    fit = {"epochs": 2, "validation_data": held_out}
    twice = {"executions_per_trial": 2}
    return Search(build, "val_accuracy", train, fit, twice)


def s02(folder):
    """The main model: depth, widths, activation, an optional Dropout."""

    def build(hp):
        model = keras.Sequential([layers.Flatten()])
        for i in range(hp.Int("num_layers", 1, 3)):
            model.add(
                layers.Dense(
                    units(hp, name=f"units_{i}"),
                    hp.Choice("activation", ["relu", "tanh"]),
                )
            )
        if hp.Boolean("dropout"):
            model.add(layers.Dropout(0.25))
        model.add(layers.Dense(10, activation="softmax"))
        return compiled(model, keras.optimizers.Adam(log_rate(hp)))

    train, held_out = IMAGES(1000, 250, classes=10, hot=True)
    fit = {"epochs": 2, "validation_data": held_out}
    return Search(build, "val_accuracy", train, fit)


class CropsImages(keras_tuner.HyperModel):
    """Draws the size of the images, and how they are prepared."""

    def build(self, hp):
        size = hp.Int("image_size", 10, 28)
        inputs = keras.Input((size, size))
        x = layers.Flatten()(inputs)
        x = layers.Dense(units(hp), activation="relu")(x)
        outputs = layers.Dense(10, activation="softmax")(x)
        return compiled(keras.Model(inputs, outputs))

    def fit(self, hp, model, x, y, validation_data=None, **kwargs):
        if hp.Boolean("normalize"):
            x = layers.Normalization()(x)
        size = hp.get("image_size")
        held_out = validation_data[0][:, :size, :size, 0], validation_data[1]
        return model.fit(
            np.array(x)[:, :size, :size, 0],
            y,
            validation_data=held_out,
            shuffle=hp.Boolean("shuffle"),
            **{n: v for n, v in kwargs.items() if n != "shuffle"},
        )


def s03(folder):
    """The shape of the input is drawn."""
    train, held_out = IMAGES(1000, 250, classes=10, hot=True)
    fit = {"epochs": 2, "validation_data": held_out}
    return Search(CropsImages(), "val_accuracy", train, fit)


@keras.saving.register_keras_serializable("catalogue")
class OwnMeanSquaredError(keras.metrics.Metric):
    """A metric written as for an older Keras."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.sum = self.add_weight(name="sum", initializer="zeros")
        self.count = self.add_weight(
            name="count", initializer="zeros", dtype="int32"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = tf.cast(y_true, y_pred.dtype)
        errors = tf.math.reduce_sum(tf.math.squared_difference(y_true, y_pred))
        self.sum.assign_add(tf.cast(errors, "float32"))
        self.count.assign_add(tf.shape(y_pred)[0])

    def result(self):
        return self.sum / tf.cast(self.count, tf.float32)

    def reset_states(self):
        self.sum.assign(0)
        self.count.assign(0)


def small_regression(hp, metrics=()):
    model = keras.Sequential(
        [layers.Dense(units(hp, high=128), activation="relu"), layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=list(metrics))
    return model


def s04(folder):
    """A metric of one's own."""

    def build(hp):
        return small_regression(hp, [OwnMeanSquaredError()])

    train, held_out = TABLE(dtype="float64")
    fit = {"epochs": 2, "validation_data": held_out}
    best = objective("val_own_mean_squared_error", "min")
    return Search(build, best, train, fit, trials=4)


class ReturnsNumber(keras_tuner.HyperModel):
    """Scores its models by itself."""

    def build(self, hp):
        return small_regression(hp)

    def fit(self, hp, model, x, y, validation_data, **kwargs):
        model.fit(x, y, **kwargs)
        predicted = model.predict(validation_data[0], verbose=0)
        return float(np.mean(np.abs(predicted - validation_data[1])))


def s05(folder):
    """`HyperModel.fit` returns a number."""
    train, held_out = TABLE(dtype="float64")
    fit = {"epochs": 2, "validation_data": held_out}
    return Search(ReturnsNumber(), None, train, fit, trials=4)


def s06(folder):
    """Any function: no model at all."""

    def subclass(base):
        class AnyFunction(base):
            def run_trial(self, trial, *args, **kwargs):
                x = trial.hyperparameters.Float("x", -1.0, 1.0)
                return x * x + 1

        return AnyFunction

    return Search(None, None, (), {}, subclass=subclass, trials=20)


def s07(folder):
    """Only the learning rate is searched."""

    def build(hp):
        model = keras.Sequential([layers.Flatten()])
        model.add(layers.Dense(units(hp, high=128)))
        if hp.Boolean("dropout"):
            model.add(layers.Dropout(0.25))
        model.add(layers.Dense(10, activation="softmax"))
        rate = hp.Choice("lr", [1e-2, 1e-3, 1e-4])
        optimizer = keras.optimizers.Adam(rate)
        return compiled(model, optimizer, "sparse_categorical_crossentropy")

    given = keras_tuner.HyperParameters()
    log_rate(given)
    train, held_out = IMAGES(100, 20, classes=10, column=True)
    fit = {"epochs": 1, "validation_data": held_out}
    few = {"hyperparameters": given, "tune_new_entries": False}
    return Search(build, "val_accuracy", train, fit, few)


class OwnLoop(keras_tuner.HyperModel):
    """Trains by a `GradientTape`."""

    def build(self, hp):
        inputs = keras.Input((28, 28, 1))
        x = layers.Flatten()(inputs)
        x = layers.Dense(hp.Choice("units", [32, 64, 128]), "relu")(x)
        return keras.Model(inputs, layers.Dense(10)(x))

    def fit(self, hp, model, x, y, validation_data, callbacks=None, **kwargs):
        size = hp.Int("batch_size", 32, 128, step=32)
        train = tf.data.Dataset.from_tensor_slices((x, y)).batch(size)
        held_out = tf.data.Dataset.from_tensor_slices(validation_data)
        optimizer = keras.optimizers.Adam(log_rate(hp))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        mean = keras.metrics.Mean()

        @tf.function
        def step(x, y):
            with tf.GradientTape() as tape:
                value = loss(y, model(x))
            weights = model.trainable_variables
            optimizer.apply_gradients(
                zip(tape.gradient(value, weights), weights, strict=True)
            )

        @tf.function
        def test(x, y):
            mean.update_state(loss(y, model(x)))

        for callback in callbacks or ():
            callback.set_model(model)
        best = float("inf")
        for epoch in range(2):
            for batch in train:
                step(*batch)
            for batch in held_out.batch(size):
                test(*batch)
            value = float(mean.result())
            for callback in callbacks or ():
                callback.on_epoch_end(epoch, logs={"my_metric": value})
            mean.reset_state()
            best = min(best, value)
        return best


def s08(folder):
    """A training loop of one's own."""
    train, held_out = IMAGES(300, 100, classes=10)
    best = objective("my_metric", "min")
    return Search(OwnLoop(), best, train, {"validation_data": held_out})


def s09(folder):
    """Too large models fail."""

    def build(hp):
        model = keras.Sequential([keras.Input((10,))])
        model.add(layers.Dense(hp.Int("a", 10, 40, step=10), "relu"))
        model.add(layers.Dense(hp.Int("b", 10, 30, step=10), "relu"))
        model.add(layers.Dense(1))
        model.compile("adam", "mse")
        if model.count_params() > 1200:
            raise keras_tuner.errors.FailedTrialError(
                "Model too large! It contains "
                f"{model.count_params()} parameters."
            )
        return model

    train, held_out = TABLE()
    fit = {"epochs": 2, "validation_data": held_out}
    return Search(build, "val_loss", train, fit, trials=12)


def s10(folder):
    """A convolutional network: depth, filters, kernels, pooling."""

    def build(hp):
        inputs = x = keras.Input((28, 28, 1))
        for i in range(hp.Int("num_block", 1, 3)):
            x = layers.Conv2D(
                hp.Int(f"filters_{i}", 4, 32, step=4),
                hp.Int(f"kernel_size_{i}", 3, 5),
                activation="relu",
                padding="same",
            )(x)
            if hp.Choice(f"pooling_{i}", ["max", "avg"]) == "max":
                x = layers.MaxPooling2D()(x)
            else:
                x = layers.AveragePooling2D(2)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        if hp.Choice("global_pooling", ["max", "avg"]) == "max":
            x = layers.GlobalMaxPooling2D()(x)
        else:
            x = layers.GlobalAveragePooling2D()(x)
        outputs = layers.Dense(10, activation="softmax")(x)
        optimizer = hp.Choice("optimizer", ["adam", "sgd"])
        model = keras.Model(inputs, outputs)
        return compiled(model, optimizer, "sparse_categorical_crossentropy")

    train, held_out = IMAGES(300, 100, classes=10)
    stops = keras.callbacks.EarlyStopping("val_accuracy")
    fit = {"epochs": 2, "validation_data": held_out, "callbacks": [stops]}
    return Search(build, "val_accuracy", train, fit)
