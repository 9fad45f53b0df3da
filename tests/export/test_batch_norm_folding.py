"""Folding batch norm: fewer layers, the same answers."""

import keras
import numpy as np
import pytest
from keras import layers

import tfcourse.layers
from tfcourse.errors import InputError
from tfcourse.export import export_saved_model, fold_batch_normalization

NORMS = {
    "tfcourse": tfcourse.layers.BatchNormalization,
    "Keras": layers.BatchNormalization,
}
every_norm = pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)


def shaken(model, rng):
    """Gives every weight, the moving averages too, a value of its own."""
    for variable in model.variables:
        if variable.dtype == "float32" and len(variable.shape):
            low = 0.5 if "variance" in variable.name else -1.0
            variable.assign(rng.uniform(low, 1.5, variable.shape))
    return model


def sequential(*parts):
    keras.utils.set_random_seed(0)
    return keras.Sequential(list(parts))


KINDS = {
    "dense": ((5,), lambda: layers.Dense(4, use_bias=False)),
    "dense with bias": ((5,), lambda: layers.Dense(4)),
    "dense over steps": ((6, 5), lambda: layers.Dense(4)),
    "conv 1d": ((9, 3), lambda: layers.Conv1D(4, 3)),
    "conv 2d": ((8, 8, 3), lambda: layers.Conv2D(4, 3, strides=2)),
    "conv 3d": ((4, 4, 4, 2), lambda: layers.Conv3D(3, 2)),
    "transpose": ((5, 5, 3), lambda: layers.Conv2DTranspose(4, 3)),
    "depthwise": (
        (6, 6, 3),
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=2),
    ),
    "separable": ((6, 6, 3), lambda: layers.SeparableConv2D(4, 3)),
}


@pytest.mark.parametrize("shape, make", KINDS.values(), ids=KINDS)
def test_a_kernel_takes_the_batch_norm_after_it(rng, shape, make):
    model = shaken(
        sequential(keras.Input(shape), make(), NORMS["tfcourse"]()), rng
    )
    x = rng.normal(size=(3, *shape)).astype("float32")

    folded = fold_batch_normalization(model)

    assert [type(layer) for layer in folded.layers[1:]] == [
        type(model.layers[0])
    ]
    np.testing.assert_allclose(folded(x), model(x), rtol=1e-4, atol=1e-4)


@every_norm
@pytest.mark.parametrize("scale", [True, False])
def test_as_the_formula_says(rng, norm, scale):
    batch_norm = norm(scale=scale, epsilon=1e-3)
    model = shaken(
        sequential(keras.Input((5,)), layers.Dense(4), batch_norm), rng
    )
    kernel, b = (np.float64(w) for w in model.layers[0].get_weights())
    mu, variance = (
        np.float64(np.asarray(v))
        for v in (batch_norm.moving_mean, batch_norm.moving_variance)
    )
    gamma = np.float64(np.asarray(batch_norm.gamma)) if scale else 1.0
    s = gamma / np.sqrt(variance + 1e-3)
    before = [np.array(w) for w in model.get_weights()]

    folded = fold_batch_normalization(model)

    new_kernel, new_b = folded.layers[1].get_weights()
    np.testing.assert_allclose(new_kernel, kernel * s, rtol=1e-6)
    expected = (b - mu) * s + np.float64(np.asarray(batch_norm.beta))
    np.testing.assert_allclose(new_b, expected, rtol=1e-5, atol=1e-6)
    for old, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)


def residual(norm):
    x = keras.Input((5,), name="x")
    z = layers.Dense(5, name="taken_twice")(x)
    n = norm(name="stays_as_z_is_taken_twice")(z)
    a = layers.ReLU()(layers.Add()([n, z]))
    h = layers.Dense(3, "relu", name="activated")(a)
    h = norm(name="stays_after_activation")(h)
    h = norm(name="stays_after_norm")(layers.Dropout(0.5)(h))
    h = norm(name="goes")(layers.Dense(4, name="takes")(h))
    shared = layers.Dense(4, name="shared")
    h = norm(name="stays_after_shared")(shared(shared(h)))
    return keras.Model(x, {"out": h, "features": a})


@every_norm
def test_only_what_may_is_merged(rng, norm):
    model = shaken(residual(norm), rng)
    x = rng.normal(size=(7, 5)).astype("float32")

    folded = fold_batch_normalization(model)

    gone = {layer.name for layer in model.layers} - {
        layer.name for layer in folded.layers
    }
    assert gone == {"goes"}
    for name, expected in model(x).items():
        np.testing.assert_allclose(
            folded(x)[name], expected, rtol=1e-4, atol=1e-4
        )


def test_another_axis_stays(rng):
    model = sequential(
        keras.Input((6, 5)), layers.Dense(4), layers.BatchNormalization(axis=1)
    )
    assert len(fold_batch_normalization(shaken(model, rng)).layers) == 3


def test_a_folded_model_exports_with_its_loss(rng, tmp_path):
    model = shaken(
        sequential(keras.Input((5,)), layers.Dense(3), NORMS["tfcourse"]()),
        rng,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    folded = fold_batch_normalization(model)

    import tensorflow as tf

    export_saved_model(folded, tmp_path / "m", labels=["a", "b", "c"])
    loaded = tf.saved_model.load(tmp_path / "m")
    answer = loaded.classify(tf.zeros([1, 5]))
    np.testing.assert_allclose(
        answer["probabilities"],
        keras.ops.softmax(model(np.zeros((1, 5)))),
        rtol=1e-5,
    )


def test_a_model_without_a_graph_is_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(InputError, match="cannot be seen"):
        fold_batch_normalization(Own())
