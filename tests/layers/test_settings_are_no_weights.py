"""Settings are kept with their layer, and are none of its weights."""

import h5py
import keras
import numpy as np
import pytest
from keras import ops

from tfcourse.layers import BatchNormalization, InvertedDropout

X = np.random.default_rng(0).normal(3, 2, (64, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def ours(momentum=0.9, keep_prob=0.9):
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            BatchNormalization(momentum=momentum, epsilon=1e-3),
            InvertedDropout(keep_prob, seed=1),
            keras.layers.Dense(1),
        ]
    )


def theirs():
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.1, seed=1),
            keras.layers.Dense(1),
        ]
    )


def trained(model, steps=3):
    model.compile("sgd", "mse")
    for _ in range(steps):
        model.train_on_batch(X, Y)
    return model


def settings(model):
    _, norm, dropout, _ = model.layers
    return float(norm.momentum), float(dropout.keep_prob)


def answers(model):
    return ops.convert_to_numpy(model(X))


def test_weights_are_as_many_as_those_of_keras():
    mine, other = ours(), theirs()

    assert [w.shape for w in mine.weights] == [w.shape for w in other.weights]
    assert [w.name for w in mine.weights] == [w.name for w in other.weights]
    assert mine.count_params() == other.count_params()
    for a, b in zip(mine.layers, other.layers, strict=True):
        assert a.count_params() == b.count_params()
        assert len(a.get_weights()) == len(b.get_weights())


@pytest.mark.parametrize("source, target", [(ours, theirs), (theirs, ours)])
def test_weights_go_to_and_from_the_same_model_of_keras(source, target):
    model = trained(source())
    other = target()

    other.set_weights(model.get_weights())

    np.testing.assert_allclose(answers(other), answers(model), rtol=1e-5)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_to_set_weights_changes_no_setting():
    model = trained(ours(momentum=0.5, keep_prob=0.5))
    other = ours(momentum=0.75, keep_prob=0.9)

    other.set_weights(model.get_weights())

    assert settings(other) == pytest.approx((0.75, 0.9))
    np.testing.assert_array_equal(answers(other), answers(model))


def test_moving_statistics_that_were_set_go_on():
    model, keras_model = ours(), theirs()
    trained(keras_model)
    before = [np.array(w) for w in keras_model.get_weights()]
    model.set_weights(before)
    layer = model.layers[1]
    x = np.random.default_rng(1).normal(5, 1, (16, 4)).astype("float32")
    layer(x, training=True)
    mean, variance = before[4], before[5]
    momentum = float(layer.momentum)
    np.testing.assert_allclose(
        layer.moving_mean,
        momentum * mean + (1 - momentum) * x.mean(axis=0),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        layer.moving_variance,
        momentum * variance + (1 - momentum) * x.var(axis=0),
        rtol=1e-5,
    )


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5"])
def test_files_keep_settings(tmp_path, name):
    model = trained(ours())
    model.layers[1].momentum, model.layers[2].keep_prob = 0.5, 0.25
    if name == "m.keras":
        model.save(tmp_path / name)
        back = keras.saving.load_model(tmp_path / name)
    else:
        model.save_weights(tmp_path / name)
        back = ours()
        back.load_weights(tmp_path / name)
        back.compile("sgd", "mse")

    assert settings(back) == (0.5, 0.25)
    # And all else of their state: training goes on alike.
    trained_on = trained(back, 0), trained(model, 0)
    for one in trained_on:
        one.train_on_batch(X, Y)
    for a, b in zip(back.variables, model.variables, strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-6
        )


def test_the_form_of_files_is_that_of_earlier_ones(tmp_path):
    model = trained(ours())
    model.save_weights(tmp_path / "m.weights.h5")

    with h5py.File(tmp_path / "m.weights.h5") as file:
        norm = file["layers/batch_normalization/vars"]
        dropout = file["layers/inverted_dropout/vars"]

        assert set(norm) == set("012345")
        assert norm["2"][()] == np.float32(0.9)
        assert set(dropout) == {"0", "seed"}
        assert dropout["0"][()] == np.float32(0.9)


def test_settings_are_variables_of_their_layer():
    model = ours()

    names = [v.name for v in model.non_trainable_variables]

    assert {"momentum", "moving_weight", "keep_prob"} <= set(names)
    assert model.layers[2].variables[0] is model.layers[2].keep_prob
