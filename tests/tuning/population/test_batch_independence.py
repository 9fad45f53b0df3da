"""Which evaluations are known not to depend on how data are batched?"""

import keras
import numpy as np
import pytest
from keras import layers, losses, metrics

from tfcourse import layers as own_layers
from tfcourse.tuning.population.functional.batch_independence import (
    evaluates_in_any_batches,
)
from tfcourse.tuning.population.functional.build import build

N = 10
# The base class of all losses of a function, which is not exported.
LossFunctionWrapper = losses.MeanSquaredError.__base__


def half(y, p):
    # Of the whole batch.
    return keras.ops.max(keras.ops.square(y - p)) / 2


def network(*hidden, loss="mse", **settings):
    model = keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(2)])
    model.compile("sgd", loss, **settings)
    return model


def functional(connect, loss="mse"):
    x = keras.Input((4,))
    model = keras.Model(x, connect(x))
    model.compile("sgd", loss)
    return model


def words(**settings):
    model = keras.Sequential(
        [keras.Input((4,)), layers.Embedding(5, 3, **settings), layers.Dense(2)]
    )
    model.compile("sgd", "mse")
    return model


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x - keras.ops.mean(x, axis=0))


def written_as_a_class():
    model = Own()
    model.compile("sgd", "mse")
    return model


ANY = {
    "plain": lambda: network(
        layers.Dense(3, "relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        metrics=["mae"],
    ),
    "tfcourse": lambda: network(
        own_layers.BatchNormalization(), own_layers.InvertedDropout(0.5)
    ),
    "weights decay": lambda: network(layers.Dense(3, kernel_regularizer="l2")),
    "layer as activation": lambda: network(
        layers.Dense(3, activation=layers.LeakyReLU())
    ),
    "loss of a class": lambda: network(
        loss=losses.BinaryCrossentropy(from_logits=True),
        metrics=[metrics.AUC(from_logits=True), metrics.BinaryAccuracy()],
    ),
    "recurrent": lambda: network(layers.Reshape((2, 2)), layers.LSTM(3)),
    "two ways": lambda: functional(
        lambda x: layers.Add()([layers.Dense(2)(x), layers.Dense(2)(x)])
    ),
    "words": words,
}
OTHERS = {
    "masked words": lambda: words(mask_zero=True),
    "masking": lambda: network(
        layers.Reshape((2, 2)), layers.Masking(), layers.LSTM(3)
    ),
    "any function": lambda: network(layers.Lambda(keras.ops.abs)),
    "softmax of examples": lambda: network(layers.Softmax(axis=0)),
    "own activation": lambda: network(
        layers.Dense(3, lambda z: z - keras.ops.mean(z, axis=0))
    ),
    "operation": lambda: functional(
        lambda x: layers.Dense(2)(x - keras.ops.mean(x, 0, keepdims=True))
    ),
    "training": lambda: functional(
        lambda x: layers.Dense(2)(layers.BatchNormalization()(x, training=True))
    ),
    "own model": written_as_a_class,
    "activity": lambda: network(layers.Dense(3, activity_regularizer="l2")),
    "sum": lambda: network(loss=losses.MeanSquaredError(reduction="sum")),
    "own loss": lambda: network(loss=half),
    "own loss, wrapped": lambda: network(loss=LossFunctionWrapper(half)),
    "own metric": lambda: network(metrics=[half]),
    "own metric, wrapped": lambda: network(
        metrics=[metrics.MeanMetricWrapper(half)]
    ),
    "dice": lambda: network(loss="dice"),
    "dice as a metric": lambda: network(
        metrics=[metrics.MeanMetricWrapper(losses.dice)]
    ),
    "hinge": lambda: network(loss="hinge"),
    "two outputs": lambda: functional(
        lambda x: [layers.Dense(2)(x), layers.Dense(2)(x)], ["mse", "mae"]
    ),
}


def built(make):
    keras.utils.set_random_seed(0)
    model, rng = make(), np.random.default_rng(0)
    x = rng.integers(0, 2, size=(N, 4)).astype("float32")
    y = rng.integers(0, 2, size=(N, 2)).astype("float32")
    outputs = getattr(model, "outputs", None) or [keras.KerasTensor((N, 2))]
    if len(outputs) == 2:
        y = [y, y]
    elif len(outputs[0].shape) == 3:
        y = np.stack([y] * 4, axis=1)
    build(model, (x, y, None))
    return model, x, y


@pytest.mark.parametrize("name", ANY)
def test_batches_make_no_difference(name):
    model, x, y = built(ANY[name])
    assert evaluates_in_any_batches(model)
    few, all_at_once = (
        model.evaluate(x, y, batch_size=n, verbose=0) for n in (4, N)
    )
    np.testing.assert_allclose(few, all_at_once, rtol=1e-5)


@pytest.mark.parametrize("name", OTHERS)
def test_batches_may_make_a_difference(name):
    assert not evaluates_in_any_batches(built(OTHERS[name])[0])
