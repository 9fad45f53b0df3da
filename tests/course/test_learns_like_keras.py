"""A model of tfcourse's parts learns digits as well as its Keras twin."""

import keras
import pytest

from tfcourse import (
    data,
    initializers,
    layers,
    optimizers,
    regularizers,
    schedules,
)


@pytest.fixture(scope="module")
def digits():
    dataset = data.load("digits")
    split = data.split(dataset)
    parts = (split.train, split.test)
    return [(dataset.x[i] / 16, dataset.y[i]) for i in parts]


def accuracy(model, digits):
    (x, y), test = digits
    model.compile(
        model.optimizer,
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(x, y, batch_size=64, epochs=15, verbose=0)
    return model.evaluate(*test, return_dict=True, verbose=0)["accuracy"]


def network(dense, normalization, dropout, optimizer):
    keras.utils.set_random_seed(0)
    hidden = [
        layer
        for _ in range(2)
        for layer in (
            dense(64, use_bias=False),
            normalization(),
            keras.layers.ReLU(),
            dropout(),
        )
    ]
    model = keras.Sequential(
        [keras.Input((64,)), *hidden, dense(10), keras.layers.Softmax()]
    )
    model.compile(optimizer)
    return model


@pytest.mark.slow
def test_digits_are_learned_as_by_keras(digits):
    m = len(digits[0][0])
    steps = -(-m // 64)
    ours = network(
        lambda units, **settings: keras.layers.Dense(
            units,
            kernel_initializer=initializers.He(),
            kernel_regularizer=regularizers.L2(0.1, m),
            **settings,
        ),
        layers.BatchNormalization,
        lambda: layers.InvertedDropout(0.9),
        optimizers.Adam(
            schedules.InverseTimeDecay(0.01, 0.1, steps_per_epoch=steps)
        ),
    )
    theirs = network(
        lambda units, **settings: keras.layers.Dense(
            units,
            kernel_initializer="he_normal",
            kernel_regularizer=keras.regularizers.L2(0.1 / (2 * m)),
            **settings,
        ),
        lambda: keras.layers.BatchNormalization(momentum=0.9),
        lambda: keras.layers.Dropout(0.1),
        keras.optimizers.Adam(
            keras.optimizers.schedules.InverseTimeDecay(
                0.01, decay_steps=steps, decay_rate=0.1, staircase=True
            )
        ),
    )

    expected = accuracy(theirs, digits)
    actual = accuracy(ours, digits)

    # 359 examples: three deviations of an accuracy of 0.97 are 0.027.
    assert actual == pytest.approx(expected, abs=0.027)
    assert actual > 0.95
