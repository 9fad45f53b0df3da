"""Networks of several depths by one step, each in its own size: as by Keras?"""

import keras
import numpy as np
import pytest
import side_by_side
from keras import layers
from marks import slow_but

from tfcourse.tuning.caviar.steps import costs

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow",
    reason="JAX compiles what it is given for each size",
)


@pytest.fixture(autouse=True)
def steps_pay(monkeypatch):
    monkeypatch.setattr(costs, "PROGRAM", 1e19)
    monkeypatch.setattr(costs, "SHARED", 0.0)


def dense(hp):
    deep = hp.Choice("depth", [1, 2, 3])
    hidden = []
    for i in range(deep):
        hidden += [
            layers.Dense(3 + deep - i, "sigmoid", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.2 * i),
        ]
    return [keras.Input((3,)), *hidden]


def recurrent(hp):
    deep = hp.Choice("depth", [0, 1, 2])
    hidden = []
    for i in range(deep):
        units = 2 + deep - i
        hidden += [
            layers.Bidirectional(layers.LSTM(units, return_sequences=True)),
            layers.Dropout(0.1),
        ]
    last = layers.Bidirectional(layers.LSTM(2 + deep))
    return [keras.Input((5, 2)), *hidden, last]


def masked(hp):
    deep = hp.Choice("depth", [1, 2, 3])
    stack = [
        layers.GRU(2 + deep - i, return_sequences=i < deep - 1)
        for i in range(deep)
    ]
    embedding = layers.Embedding(6, 2 + deep, mask_zero=True)
    return [keras.Input((5,), dtype="int32"), embedding, *stack]


def images(hp):
    deep = hp.Choice("depth", [1, 2, 3])
    kind = hp.Choice("pooling", ["max", "mean"])
    pool = {"max": layers.MaxPooling2D, "mean": layers.AveragePooling2D}[kind]
    hidden = []
    for i in range(deep):
        hidden += [
            layers.Conv2D(
                2 + i + deep, 1 + deep, padding="same", use_bias=False
            ),
            layers.BatchNormalization(),
            layers.ReLU(),
            pool(2),
        ]
    return [keras.Input((8, 8, 1)), *hidden, layers.Flatten()]


CHAINS = {
    "dense": (dense, (3,), 3),
    "recurrent": (recurrent, (5, 2), 3),
    "images": (images, (8, 8, 1), 6),
}


def chain(make, x, optimizer=None, **kwargs):
    def space(hp):
        model = keras.Sequential([*make(hp), layers.Dense(1)])
        model.compile(optimizer or keras.optimizers.Adam(0.01), "mse")
        return model

    y = np.tanh(x.reshape(10, -1)[:, :1])
    return lambda: (space, (x, y), {"batch_size": 4} | kwargs)


def numbers(shape):
    return np.random.default_rng(0).normal(size=(10, *shape)).astype("float32")


def assert_one_step(folder, case, trials, **settings):
    tuner = side_by_side.assert_same(folder, case, **settings)
    found = [(group["how"], len(group["trials"])) for group in tuner.groups]
    assert found == [("by one step", trials)], tuner.groups
    assert tuner.groups[0]["verified"] == 2
    return tuner


@pytest.mark.parametrize("name", slow_but(CHAINS, ["dense"]))
def test_networks_of_any_depth_train_as_by_keras(name, tmp_path):
    make, shape, trials = CHAINS[name]
    case = chain(make, numbers(shape), validation_split=0.2)
    assert_one_step(tmp_path, case, trials)


def pairs(hp):
    inputs = x = keras.Input((3,))
    for _ in range(hp.Choice("pairs", [1, 2, 3])):
        for _ in range(2):
            x = layers.Dense(2 + hp.get("pairs"), "sigmoid")(x)
        x = layers.Concatenate()([x, inputs])
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def test_repeats_in_what_a_network_does_not_have(tmp_path):
    x = numbers((3,))
    case = pairs, (x, np.tanh(x[:, :1])), {"batch_size": 4}
    assert_one_step(tmp_path, lambda: case, 3)


@pytest.mark.slow
def test_masks_go_past_what_a_network_does_not_have(tmp_path):
    words = np.random.default_rng(0).integers(0, 6, (10, 5))
    assert_one_step(tmp_path, chain(masked, words), 3)
