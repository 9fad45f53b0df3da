"""What the course teaches and Keras has already: is it the same?"""

import keras
import numpy as np
import pytest
import reference
from gradients import gradient_of
from keras import layers, ops

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


def test_normalization_is_that_of_the_training_set(rng):
    train = rng.normal([3.0, -50.0], [0.1, 20.0], (200, 2)).astype("float32")
    test = rng.normal([3.0, -50.0], [0.1, 20.0], (50, 2)).astype("float32")
    layer = layers.Normalization()
    layer.adapt(train)

    mean, variance = train.astype("d").mean(axis=0), train.astype("d").var(0)
    np.testing.assert_allclose(
        np.asarray(layer(test)),
        (test - mean) / np.sqrt(variance),
        rtol=1e-4,
        atol=1e-4,
    )


def test_early_stopping_gives_the_best_epoch_back():
    # The weight goes down by 0.5 an epoch, and is best at 1.
    weight = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), weight])
    model.compile(
        keras.optimizers.SGD(0.5), lambda y, y_hat: y_hat, metrics=["mae"]
    )
    model.layers[0].kernel.assign([[2.0]])
    x = np.ones((4, 1), "float32")
    stopping = keras.callbacks.EarlyStopping(
        "val_mae", patience=2, mode="min", restore_best_weights=True
    )
    history = model.fit(
        x,
        x,
        epochs=10,
        validation_data=(x, x),
        callbacks=[stopping],
        verbose=0,
    ).history["val_mae"]

    np.testing.assert_allclose(history, [0.5, 0.0, 0.5, 1.0], atol=1e-6)
    assert stopping.best_epoch == 1
    np.testing.assert_allclose(model.get_weights()[0], [[1.0]], atol=1e-6)


def test_augmentation_mirrors_in_training_only(rng):
    x = rng.normal(size=(64, 4, 5, 1)).astype("float32")
    flip = layers.RandomFlip("horizontal", seed=0)

    np.testing.assert_array_equal(np.asarray(flip(x, training=False)), x)

    y = np.asarray(flip(x, training=True))
    mirrored = (y == x[:, :, ::-1]).all(axis=(1, 2, 3))
    kept = (y == x).all(axis=(1, 2, 3))
    assert (mirrored | kept).all()
    # Six deviations of a fair coin.
    assert abs(mirrored.mean() - 0.5) < 6 * np.sqrt(0.25 / len(x))
