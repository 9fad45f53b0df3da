"""A small model in training, and what is said of it."""

import functools
import types

import keras
import numpy as np
import pytest

from tfcourse.tuning.panda import read_journal
from tfcourse.tuning.panda.state.model import build_optimizer
from tfcourse.tuning.panda.state.variables import assign, read, variables_of
from tfcourse.utils.keras_private import begin_at

X = np.random.default_rng(0).normal(size=(22, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


class BrokenOffError(Exception):
    """What ends a run as abruptly as a test may."""


class StopAt(keras.callbacks.Callback):
    """Ends a run after so many batches."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise BrokenOffError


def network(optimizer="adam", built=True, **compile_settings):
    """Returns a model with dropout, seeded."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            *([keras.Input((3,))] if built else []),
            keras.layers.Dense(4, activation="tanh", name="hidden"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1, name="last"),
        ]
    )
    model.compile(optimizer, "mse", metrics=["mae"], **compile_settings)
    return model


@functools.cache
def _compiled(optimizer):
    """Returns a model that has been traced, with its state as new."""
    model = network(optimizer)
    model.make_train_function()
    step = model.train_function
    build_optimizer(model)
    variables = variables_of(model, {}, metrics=True)
    return model, step, variables, read(variables)


def fresh(optimizer="adam"):
    """Returns the same, as new: it is compiled once for all tests.

    Compiling takes longer than all steps of a test. A test that needs two at
    the same time takes `network`.
    """
    model, step, variables, values = _compiled(optimizer)
    # A run that was broken off may leave its own in the place of it.
    model.train_function = step
    keras.utils.set_random_seed(0)
    assign(variables, values)
    begin_at(model, None)
    return model


def train(model, *callbacks, epochs=3, **settings):
    """Trains on 6 batches an epoch, the last one smaller."""
    settings = {"x": X, "y": Y, "batch_size": 4, **settings}
    return model.fit(
        epochs=epochs, verbose=0, callbacks=list(callbacks), **settings
    )


def periods(folder):
    return [e for e in read_journal(folder) if e["kind"] == "period"]


def events(folder, name=None):
    found = [e for e in read_journal(folder) if e["kind"] == "event"]
    return [e for e in found if name in (None, e["event"])]


@pytest.fixture
def runs():
    return types.SimpleNamespace(
        BrokenOffError=BrokenOffError,
        StopAt=StopAt,
        X=X,
        Y=Y,
        network=network,
        fresh=fresh,
        train=train,
        periods=periods,
        events=events,
    )
