"""Functional models of several sizes: do they train as by themselves?"""

import keras
import numpy as np
import pytest
import supernets
from keras import layers, ops
from marks import slow_but

from tfcourse.tuning import supernet
from tfcourse.tuning.population import build_deferred


def compiled(inputs, outputs, **settings):
    model = keras.Model(inputs, outputs)
    settings = {"optimizer": keras.optimizers.Adam(0.02)} | settings
    model.compile(loss="mse", **settings)
    return model


def skipping(n, depth, norm=True):
    """Blocks whose inputs are added to their outputs."""
    inputs = keras.Input((6,))
    x = layers.Dense(n, activation="relu")(inputs)
    for _ in range(depth):
        y = layers.Dense(n, activation="tanh")(x)
        if norm:
            y = layers.BatchNormalization()(y)
        x = layers.Add()([x, y])
    return compiled(inputs, layers.Dense(1)(x))


def joining(n, depth):
    """Blocks that see the inputs again."""
    x = inputs = keras.Input((6,))
    for _ in range(depth):
        x = layers.Dense(n, activation="relu")(x)
        x = layers.Dense(n, activation="relu")(x)
        x = layers.Concatenate()([x, inputs])
    return compiled(inputs, layers.Dense(1)(x))


def branches(a, b, c):
    """Two inputs, whose features are joined; and two outputs."""
    first = keras.Input((4,), name="first")
    second = keras.Input((2,), name="second")
    x = layers.Dense(a, activation="relu")(first)
    y = layers.Dense(b, activation="relu")(second)
    z = layers.Concatenate()([x, y, second])
    z = layers.Dense(c, activation="relu")(z)
    one = layers.Dense(1, name="one")(z)
    two = layers.Dense(1, name="two")(layers.Multiply()([z, z]))
    return compiled([first, second], [one, two])


def operations(n, m):
    """What users write with operators."""
    inputs = keras.Input((6,))
    x = layers.Dense(n, activation="relu")(inputs)
    x = x + layers.Dense(n, activation="tanh")(x) * x
    y = layers.Dense(m)(inputs)
    x = ops.maximum(layers.Dense(m)(x), y)
    return compiled(inputs, layers.Dense(1)(x))


def convolutions(n, m, k, mode="max"):
    """What keeps features apart, in images."""
    inputs = keras.Input((6,))
    x = layers.Reshape((2, 3, 1))(inputs)
    x = layers.Conv2D(n, k, padding="same", activation="relu")(x)
    x = layers.DepthwiseConv2D(2, padding="same", depth_multiplier=2)(x)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.SeparableConv2D(m, 3, padding="same", activation="relu")(x)
    x = layers.SpatialDropout2D(0.0)(x)
    x = layers.Conv2DTranspose(n, 2, activation="relu")(x)
    x = layers.BatchNormalization(axis=3)(x)
    pool = "MaxPooling2D" if mode == "max" else "AveragePooling2D"
    x = getattr(layers, pool)(2)(x)
    x = layers.Flatten()(x)
    return compiled(inputs, layers.Dense(1)(x))


def pooled(*filters, flatten=False, kernel=3, mode="Max", padding="same"):
    """Blocks that make images smaller, as many as there are filters."""
    inputs = keras.Input((6,))
    x = layers.Reshape((6, 1))(inputs)
    for n in filters:
        x = layers.Conv1D(n, kernel, padding=padding)(x)
        x = getattr(layers, f"{mode}Pooling1D")(2, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    if flatten:
        x = layers.Flatten()(layers.Dropout(0.0)(x))
    else:
        x = getattr(layers, f"Global{mode}Pooling1D")()(x)
    return compiled(inputs, layers.Dense(1)(x))


def sigmoids(n, m, depth=1):
    """What gives one half for nothing."""
    inputs = keras.Input((6,))
    x = layers.Dense(n, activation="sigmoid", kernel_regularizer="l2")(inputs)
    for _ in range(depth):
        x = layers.Dense(m, use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("softplus")(x)
    return compiled(inputs, layers.Dense(1)(x))


def tokens(n):
    inputs = keras.Input((6,))
    x = layers.Embedding(7, n)(inputs)
    x = layers.Conv1D(4, 2, activation="relu")(x)
    x = layers.GlobalMaxPooling1D()(x)
    return compiled(inputs, layers.Dense(1)(x))


def encoder(n, m):
    """A layer that gives its states, too."""
    inputs = keras.Input((3, 2))
    y, *states = layers.LSTM(n, return_sequences=True, return_state=True)(
        inputs
    )
    y = layers.TimeDistributed(layers.Dense(m, activation="relu"))(y)
    x = layers.Concatenate()([layers.Flatten()(y), *states])
    return compiled(inputs, layers.Dense(1)(x))


CASES = {
    "skipping": [
        lambda: skipping(3, 1),
        lambda: skipping(5, 3),
        lambda: skipping(9, 2),
    ],
    "joining": [
        lambda: joining(3, 1),
        lambda: joining(5, 2),
        lambda: joining(9, 3),
    ],
    "operations": [lambda: operations(3, 9), lambda: operations(5, 2)],
    "convolutions": [
        lambda: convolutions(3, 2, 3),
        lambda: convolutions(5, 9, 2, "mean"),
        lambda: convolutions(5, 9, 1),
    ],
    "pooled": [
        lambda: pooled(3),
        lambda: pooled(5, 9, 2, kernel=4, mode="Average"),
        lambda: pooled(5, 3, kernel=5),
    ],
    "sigmoids": [lambda: sigmoids(3, 9), lambda: sigmoids(5, 2, 3)],
    "causal": [
        lambda: pooled(3, kernel=2, padding="causal"),
        lambda: pooled(3, 2, kernel=3, padding="causal"),
    ],
    "flattened": [
        lambda: pooled(3, 4, flatten=True),
        lambda: pooled(5, flatten=True, kernel=2),
    ],
}


@pytest.fixture
def table(rng):
    x = rng.normal(size=(24, 6)).astype("float32")
    return x, np.tanh(x.sum(axis=1))[:, None].astype("float32")


QUICK = ["skipping", "operations", "convolutions", "pooled"]


@pytest.mark.parametrize("name", slow_but(CASES, QUICK))
def test_small_graphs_compute_as_by_themselves(table, name):
    supernets.assert_computes_as_alone(CASES[name], table[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["skipping", "pooled", "operations"])
def test_small_graphs_train_as_by_themselves(table, name):
    supernets.assert_trained_as_alone(CASES[name], *table)


def test_several_inputs_and_outputs(table):
    x, _ = table
    supernets.assert_computes_as_alone(
        [lambda: branches(3, 9, 2), lambda: branches(5, 2, 10)],
        [x[:, :4], x[:, 4:]],
    )


def test_embeddings(rng):
    x = rng.integers(7, size=(24, 6))
    supernets.assert_computes_as_alone(
        [lambda: tokens(3), lambda: tokens(10)], x
    )


def test_states(rng):
    x = rng.normal(size=(24, 3, 2)).astype("float32")
    supernets.assert_computes_as_alone(
        [lambda: encoder(3, 9), lambda: encoder(5, 2)], x
    )


def family(build):
    found = supernet.family(build_deferred(build))
    return found and found[0]


def test_a_chain_is_a_chain():
    def sequential():
        model = keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(3, activation="relu"),
                layers.BatchNormalization(),
                layers.Dense(1),
            ]
        )
        model.compile("adam", "mse")
        return model

    def functional(n):
        inputs = keras.Input((6,))
        x = layers.Dense(n, activation="relu")(inputs)
        x = layers.BatchNormalization()(x)
        return compiled(inputs, layers.Dense(1)(x))

    assert family(sequential) == family(lambda: functional(5)) is not None


def test_sizes_do_not_tell_graphs_apart():
    for builds in CASES.values():
        assert len(set(map(family, builds))) == 1
        assert family(builds[0]) is not None
    kinds = {family(builds[0]) for builds in CASES.values()}
    assert len(kinds) == len(CASES)


@pytest.mark.parametrize(
    "see",
    [
        lambda x: layers.LayerNormalization()(x),
        lambda x: layers.Softmax()(x),
        lambda x: layers.Reshape((2, -1))(x),
        lambda x: layers.Lambda(lambda x: 2 * x, output_shape=(4,))(x),
        lambda x: layers.GaussianNoise(0.1)(x),
        # A sum with what all have in full.
        lambda x: layers.Add()([x, keras.ops.sum(x, -1, keepdims=True)]),
        lambda x: layers.Concatenate()([x, layers.Activation("softmax")(x)]),
    ],
)
def test_refuses_what_sees_the_width(see):
    def build():
        inputs = keras.Input((6,))
        x = see(layers.Dense(4)(inputs))
        return compiled(inputs, layers.Dense(1)(x))

    assert family(build) is None


def test_refuses_what_is_called_twice():
    def build():
        inputs = keras.Input((6,))
        shared = layers.Dense(6)
        return compiled(inputs, layers.Dense(1)(shared(shared(inputs))))

    assert family(build) is None


def test_a_loss_that_holds_on_to_a_layer_is_alone():
    def build():
        inputs = keras.Input((6,))
        dense = layers.Dense(4)
        outputs = layers.Dense(1)(dense(inputs))
        model = keras.Model(inputs, outputs)
        model.compile("adam", lambda y, p: ops.sum(dense.kernel) + p - y)
        return model

    assert family(build) is None
