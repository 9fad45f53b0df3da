"""Recurrent layers of several widths and depths: do they train as alone?"""

import keras
import numpy as np
import pytest
import supernets
from keras import layers
from marks import slow_but

from tfcourse.tuning import supernet
from tfcourse.tuning.population import build_deferred


def compiled(*hidden, inputs=(3, 2), optimizer=None, first=()):
    model = keras.Sequential(
        [keras.Input(inputs), *first, *hidden, layers.Dense(1)]
    )
    model.compile(optimizer or keras.optimizers.Adam(0.02), "mse")
    return model


def stack(kind, units, dropout=None, **settings):
    """Returns layers that give sequences, but for the last."""
    found = []
    for k, n in enumerate(units):
        last = k == len(units) - 1
        found.append(kind(n, return_sequences=not last, **settings))
        if dropout is not None:
            found.append(layers.Dropout(dropout))
    return found


def bidirectional(kind, merge_mode="concat", **settings):
    def make(units, **others):
        return layers.Bidirectional(
            kind(units, **settings, **others), merge_mode=merge_mode
        )

    return make


def builds(kind, *several, **settings):
    """Returns what builds a stack for each list of units."""
    return [
        lambda units=units: compiled(*stack(kind, units, **settings))
        for units in several
    ]


@pytest.fixture
def series(rng):
    x = rng.normal(size=(24, 3, 2)).astype("float32")
    return x, np.tanh(x.sum(axis=(1, 2)))[:, None].astype("float32")


CASES = {
    "lstm depth": builds(layers.LSTM, [3], [5, 2], [4, 3, 6]),
    "lstm without forgetting bias": builds(
        layers.LSTM, [3], [5, 9], unit_forget_bias=False, go_backwards=True
    ),
    "gru": builds(layers.GRU, [3, 5], [9, 2], [6]),
    "gru of the first paper": builds(
        layers.GRU, [3], [9], reset_after=False, use_bias=False
    ),
    "simple": builds(
        layers.SimpleRNN, [3], [5], [4, 2], recurrent_regularizer="l2"
    ),
    "gates that are no sigmoid": builds(
        layers.GRU, [3], [5], recurrent_activation="exponential"
    ),
} | {
    f"bidirectional {mode}": builds(
        bidirectional(layers.LSTM, mode), [3, 5], [9, 2]
    )
    for mode in ("concat", "sum", "mul", "ave")
}


# Of the ways to merge two directions, one is enough in a hurry.
MERGED = {f"bidirectional {mode}" for mode in ("sum", "mul", "ave")}


@pytest.mark.parametrize("name", slow_but(CASES, CASES.keys() - MERGED))
def test_small_ones_compute_as_by_themselves(series, name):
    supernets.assert_computes_as_alone(CASES[name], series[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm depth", "gru", "bidirectional concat"])
def test_small_ones_train_as_by_themselves(series, name):
    supernets.assert_trained_as_alone(CASES[name], *series)


def test_masked_steps_are_passed_by(rng):
    tokens = rng.integers(5, size=(24, 3))

    def build(*units):
        embedding = layers.Embedding(5, 3, mask_zero=True)
        return compiled(
            *stack(layers.GRU, units), inputs=(3,), first=[embedding]
        )

    supernets.assert_computes_as_alone(
        [lambda: build(3), lambda: build(5, 2)], tokens
    )


def family(*hidden, **settings):
    return supernet.family(
        build_deferred(lambda: compiled(*hidden, **settings))
    )


def test_depth_and_width_do_not_tell_them_apart():
    def of(*units, kind=layers.LSTM, **settings):
        return family(*stack(kind, units, **settings))

    assert of(3) == of(5) == of(4, 4) == of(2, 3, 4) is not None
    assert of(3, dropout=0.1) == of(4, 5, dropout=0.1)
    assert of(3) == of(3, dropout=0.1) != of(3, kind=layers.GRU)


@pytest.mark.parametrize(
    "settings",
    [
        # Zero units would give one half.
        {"activation": "sigmoid"},
        {"recurrent_activation": "softmax"},
        {"recurrent_constraint": "max_norm"},
        {"activity_regularizer": "l2"},
        {"activation": lambda x: x},
    ],
)
def test_refuses_what_is_not_exact(settings):
    assert family(layers.LSTM(3, **settings)) is None


def test_refuses_states_that_outlive_a_batch():
    def build():
        model = keras.Sequential(
            [
                keras.Input(batch_shape=(8, 3, 2)),
                layers.LSTM(3, stateful=True),
                layers.Dense(1),
            ]
        )
        model.compile("adam", "mse")
        return model

    assert supernet.family(build_deferred(build)) is None
