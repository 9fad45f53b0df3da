"""Trials of several sizes in one program: together, and as by Keras?"""

import keras
import numpy as np
import pytest
import side_by_side
from keras import layers

from tfcourse.tuning import Caviar, SerialTuner


def recurrent(hp):
    depth = hp.Choice("depth", [1, 2])
    model = keras.Sequential([keras.Input((3, 2))])
    for k in range(depth):
        model.add(layers.GRU(2 + k, return_sequences=k < depth - 1))
    model.add(layers.Dense(1))
    model.compile(hp.Choice("optimizer", ["adam", "sgd"]), "mse")
    return model


def convolutional(hp):
    x = inputs = keras.Input((4, 4, 1))
    for _ in range(hp.Choice("depth", [1, 2])):
        kernel = hp.Choice("kernel", [2, 3])
        x = layers.Conv2D(2, kernel, padding="same", use_bias=False)(x)
        x = layers.AveragePooling2D(2)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    x = layers.GlobalMaxPooling2D()(x)
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile("adam", "mse")
    return model


def skipping(hp):
    inputs = keras.Input((3,))
    units = hp.Choice("units", [2, 3])
    x = layers.Dense(units, activation="sigmoid")(inputs)
    for _ in range(hp.Choice("depth", [1, 2])):
        y = layers.Dense(units, activation="relu")(x)
        x = layers.Add()([x, y])
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile("adam", "mse")
    return model


def assert_together(tmp_path, space, shape):
    def case():
        x = np.random.default_rng(0).normal(size=(10, *shape))
        y = x.reshape(10, -1).mean(axis=1, keepdims=True)
        return space, (x.astype("float32"), y.astype("float32")), {}

    ours = side_by_side.search(Caviar, tmp_path, case, smallest_group=2)
    theirs = side_by_side.search(SerialTuner, tmp_path, case)
    side_by_side.compare(ours, theirs)
    (group,) = ours.groups
    assert group["how"] != "alone", group["why"]


def test_graphs_of_several_widths_and_depths(tmp_path):
    assert_together(tmp_path, skipping, (3,))


@pytest.mark.slow
@pytest.mark.parametrize(
    "space, shape", [(recurrent, (3, 2)), (convolutional, (4, 4, 1))]
)
def test_sequences_and_images(tmp_path, space, shape):
    assert_together(tmp_path, space, shape)
