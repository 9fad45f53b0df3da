"""Keras's softmax and its loss are the course's, on the lecture's values."""

import keras
import numpy as np
import pytest
import reference
from autodiff import gradient_of
from keras import ops

Z = np.array([[5.0, 2.0, -1.0, 3.0]], "float32")
Y_HAT = np.array([[0.3, 0.2, 0.1, 0.4]], "float32")
CAT = np.array([[0.0, 1.0, 0.0, 0.0]], "float32")


def test_softmax_of_the_lecture():
    a = ops.convert_to_numpy(keras.layers.Softmax()(Z))
    np.testing.assert_allclose(a, [[0.842, 0.042, 0.002, 0.114]], atol=5e-4)
    np.testing.assert_allclose(a, reference.softmax(Z), rtol=1e-6)


def test_loss_of_the_lecture():
    for loss, y in [
        (keras.losses.CategoricalCrossentropy(), CAT),
        (keras.losses.SparseCategoricalCrossentropy(), np.array([1])),
    ]:
        np.testing.assert_allclose(loss(y, Y_HAT), -np.log(0.2), rtol=1e-6)
    np.testing.assert_allclose(reference.cross_entropy(CAT, Y_HAT), 1.609438)


def test_loss_of_logits_is_that_of_probabilities(rng):
    z = rng.normal(size=(8, 4)).astype("float32")
    y = np.eye(4, dtype="float32")[rng.integers(4, size=8)]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    expected = reference.cross_entropy(y, reference.softmax(z.astype("d")))
    np.testing.assert_allclose(loss(y, z), expected.mean(), rtol=1e-5)


@pytest.mark.parametrize("from_logits", [True, False])
def test_dz_is_prediction_minus_truth(rng, from_logits):
    z = np.concatenate([Z, rng.normal(size=(7, 4))]).astype("float32")
    y = np.eye(4, dtype="float32")[rng.integers(4, size=8)]
    loss = keras.losses.CategoricalCrossentropy(from_logits, reduction="sum")

    def cost(z):
        return loss(y, z if from_logits else ops.softmax(z))

    expected = reference.softmax(z.astype("float64")) - y
    np.testing.assert_allclose(gradient_of(cost, z), expected, atol=1e-5)


def test_with_two_classes_is_the_sigmoid(rng):
    z = rng.normal(size=(8, 1)).astype("float32")
    two = np.concatenate([z, np.zeros_like(z)], axis=1)
    np.testing.assert_allclose(
        ops.softmax(two)[:, :1], ops.sigmoid(z), rtol=1e-5
    )
