"""Optimizers: does each member step with its own numbers?"""

import keras
import pytest
from keras import optimizers
from side_by_side import assert_together, chain_of

OPTIMIZERS = {
    "adadelta": (optimizers.Adadelta, {"rho": 0.5, "epsilon": 0.1}),
    "adagrad": (optimizers.Adagrad, {"epsilon": 0.1}),
    "adam": (
        optimizers.Adam,
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1, "weight_decay": 0.1},
    ),
    "adamax": (optimizers.Adamax, {"beta_1": 0.5, "beta_2": 0.9}),
    "adamw": (optimizers.AdamW, {"weight_decay": 0.5, "clipvalue": 0.01}),
    "lion": (optimizers.Lion, {"beta_1": 0.5, "beta_2": 0.7}),
    "nadam": (optimizers.Nadam, {"beta_1": 0.5, "epsilon": 0.1}),
    "rmsprop": (optimizers.RMSprop, {"rho": 0.5, "momentum": 0.7}),
    "sgd": (optimizers.SGD, {"momentum": 0.5, "global_clipnorm": 0.1}),
}


def hidden(_):
    return [keras.layers.Dense(4, "tanh")]


def test_momentum_and_clipping(tmp_path):
    def optimizer(hp):
        if hp.Boolean("plain"):
            return optimizers.SGD(0.1)
        return optimizers.SGD(0.1, momentum=0.9, clipnorm=0.05)

    assert_together(tmp_path, chain_of(hidden, optimizer=optimizer))


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_numbers_of_optimizers(tmp_path, name):
    cls, numbers = OPTIMIZERS[name]

    def optimizer(hp):
        own = numbers if hp.Boolean("own") else {}
        return cls(0.05, **own)

    assert_together(tmp_path, chain_of(hidden, optimizer=optimizer))


@pytest.mark.slow
def test_averages_of_weights(tmp_path):
    def optimizer(hp):
        momentum = hp.Choice("momentum", [0.5, 0.9])
        return optimizers.SGD(0.1, use_ema=True, ema_momentum=momentum)

    assert_together(tmp_path, chain_of(hidden, optimizer=optimizer))


@pytest.mark.slow
@pytest.mark.parametrize(
    "schedule",
    [
        lambda rate, x: optimizers.schedules.ExponentialDecay(rate, 4, x),
        lambda rate, x: optimizers.schedules.InverseTimeDecay(rate, 4, x),
        lambda rate, x: optimizers.schedules.PolynomialDecay(rate, 4, x),
        lambda rate, x: optimizers.schedules.CosineDecay(rate, 4, x),
    ],
)
def test_schedules(tmp_path, schedule):
    def optimizer(hp):
        rate = hp.Choice("rate", [0.1, 0.3])
        return optimizers.SGD(schedule(rate, hp.Choice("x", [0.01, 0.5])))

    assert_together(tmp_path, chain_of(hidden, optimizer=optimizer))
