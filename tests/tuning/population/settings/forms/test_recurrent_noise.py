"""Dropout inside recurrent layers: are a member's masks its own?"""

import keras
import numpy as np
import pytest
from keras import layers
from marks import slow_but
from side_by_side import assert_same

X = np.random.default_rng(0).normal(size=(12, 4, 3)).astype("float32")
Y = np.tanh(X.sum((1, 2)))[:, None]


def rates(hp):
    """Both with zero, at which a cell draws nothing, and computes at once."""
    return {
        "dropout": hp.Choice("dropout", [0.0, 0.3]),
        "recurrent_dropout": hp.Choice("recurrent", [0.0, 0.4]),
    }


def of_kind(kind):
    return lambda hp: [kind(4, **rates(hp))]


def implementations(hp):
    number = hp.Choice("implementation", [1, 2])
    own = rates(hp) | {"implementation": number, "use_cudnn": False}
    return [layers.LSTM(4, **own)]


def widths(hp):
    units = hp.Choice("units", [2, 5])
    return [layers.GRU(units, dropout=0.3, recurrent_dropout=0.4)]


def both_ways(hp):
    units = hp.Choice("units", [2, 5])
    return [layers.Bidirectional(layers.GRU(units, **rates(hp)))]


def stacked(hp):
    """The inputs of the second are as narrow as the first."""
    two = hp.Boolean("two")
    first = layers.LSTM(
        hp.Choice("first", [2, 5]), recurrent_dropout=0.3, return_sequences=two
    )
    rate = hp.Choice("rate", [0.0, 0.3])
    second = [layers.LSTM(hp.Choice("second", [2, 3]), dropout=rate)]
    return [first, *(second if two else [])]


def convolutions(hp):
    filters = hp.Choice("filters", [2, 5])
    own = {"dropout": 0.3, "recurrent_dropout": 0.4, "padding": "same"}
    images = layers.Reshape((4, 3, 1))
    return [images, layers.ConvLSTM1D(filters, 2, **own), layers.Flatten()]


CASES = {
    "LSTM": of_kind(layers.LSTM),
    "GRU": of_kind(layers.GRU),
    "SimpleRNN": of_kind(layers.SimpleRNN),
    "implementations": implementations,
    "widths": widths,
    "both ways": both_ways,
    "stacked": stacked,
    "convolutions": convolutions,
}


@pytest.mark.parametrize("name", slow_but(CASES, ["widths"]))
def test_masks_are_those_of_the_member_alone(tmp_path, name):
    def build(hp):
        model = keras.Sequential([keras.Input(X.shape[1:]), *CASES[name](hp)])
        model.add(layers.Dense(1))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return model

    kwargs = {"batch_size": 4}
    # Of a few, each would be trained alone.
    tuner = assert_same(
        tmp_path, lambda: (build, (X, Y), kwargs), own={"smallest_group": 1}
    )
    (group,) = tuner.groups
    assert group["how"].startswith("vectorised")
