"""Runs that Panda watches, in processes of their own."""

import contextlib
import multiprocessing
import pathlib

import keras
import numpy as np

from tfcourse import layers, optimizers
from tfcourse.tuning.panda import Panda

_IMPORTED = ["tensorflow", layers.__name__, Panda.__module__]


class ProcessPool:
    """Starts runs in processes of their own.

    All of them are forked from one that has imported everything: that takes
    longer than a run.
    """

    def __init__(self):
        self._context = multiprocessing.get_context("forkserver")
        # Not this module, which is not on the path of the server's.
        self._context.set_forkserver_preload(_IMPORTED)

    def start(self, target, *arguments):
        """Starts a function of this module."""
        process = self._context.Process(target=target, args=arguments)
        process.start()
        return process


def finish(process):
    """Waits for a run that is to end well."""
    process.join()
    if process.exitcode:
        raise AssertionError(f"It ended with {process.exitcode}.")


def kill(process):
    process.kill()
    process.join()


def train(folder, epochs):
    """Trains, and writes the final weights beside the folder of the run."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(8, activation="tanh"),
            layers.BatchNormalization(),
            layers.InvertedDropout(0.8),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizers.Adam(0.01), "mse")
    model.fit(
        x,
        x[:, :1],
        batch_size=4,
        epochs=epochs,
        verbose=0,
        callbacks=[Panda(folder, period=5, share=1.0)],
    )
    np.savez(weights_of(folder), *model.get_weights())


def weights_of(folder):
    folder = pathlib.Path(folder)
    return folder.with_name(f"{folder.name}.npz")


class Ruin(keras.callbacks.Callback):
    """Plants NaN in the first layer before the sixth batch."""

    left = 6

    def on_train_batch_begin(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            kernel = self.model.layers[0].kernel
            kernel.assign(np.full(kernel.shape, np.nan))


def train_mirrored(folder):
    """Trains on two devices; then a new model goes on from the last state."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    for epochs, others in [(2, [Ruin()]), (3, [])]:
        keras.utils.set_random_seed(0)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            model = keras.Sequential(
                [
                    keras.Input((3,)),
                    keras.layers.Dense(4),
                    keras.layers.Dropout(0.5),
                    keras.layers.Dense(1),
                ]
            )
            model.compile("adam", "mse")
        panda = Panda(folder, period=2, share=1.0, gradient_norm=True)
        model.fit(
            x,
            x[:, :1],
            batch_size=8,
            epochs=epochs,
            verbose=0,
            callbacks=[panda, *others],
        )
        for weight in model.weights:
            first, second = (part.numpy() for part in weight.value.values)
            np.testing.assert_array_equal(first, second)
            assert np.isfinite(first).all()
    rate = np.asarray(model.optimizer.learning_rate)
    np.savez(weights_of(folder), rate)


@contextlib.contextmanager
def ended(process):
    """A `with` block after which the process is gone, whatever happens."""
    try:
        yield process
    finally:
        if process.is_alive():
            kill(process)
