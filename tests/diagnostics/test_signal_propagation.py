"""Signal propagation: the lecture's 1.5 and 0.5, and what real nets do."""

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse.diagnostics import signal_propagation

UNITS = 32


def identity_times(c):
    return keras.initializers.Identity(c)


def network(depth, activation, initializer, norm=False, units=UNITS):
    keras.utils.set_random_seed(0)
    stack = []
    for i in range(depth):
        made = initializer(seed=i) if isinstance(initializer, type) else None
        stack.append(
            layers.Dense(
                units,
                None if norm else activation,
                kernel_initializer=made or initializer,
                name=f"hidden_{i}",
            )
        )
        if norm:
            stack += [
                layers.BatchNormalization(),
                layers.Activation(activation),
            ]
    output = layers.Dense(4, "softmax", name="output")
    return keras.Sequential([keras.Input((units,)), *stack, output])


@pytest.fixture
def x(rng):
    return rng.normal(size=(64, UNITS)).astype("float32")


@pytest.mark.parametrize(
    "c, verdict", [(1.5, "exploding"), (0.5, "vanishing"), (1, "healthy")]
)
def test_a_linear_network_grows_as_in_the_lecture(x, c, verdict):
    depth = 10
    result = signal_propagation(network(depth, None, identity_times(c)), x)
    assert result.verdict == verdict
    assert result.activation_growth == pytest.approx(c ** (depth - 1), rel=1e-4)
    assert result.gradient_growth == pytest.approx(c ** (depth - 1), rel=1e-4)
    for place, layer in enumerate(result.hidden, start=1):
        assert layer.activation_std == pytest.approx(
            c**place * x.std(), rel=1e-4
        )


He, Glorot = keras.initializers.HeNormal, keras.initializers.GlorotNormal


@pytest.mark.parametrize(
    "activation, initializer, verdict, advice",
    [
        ("relu", He, "healthy", None),
        ("relu", Glorot, "vanishing", "He"),
        ("tanh", Glorot, "healthy", None),
        (
            "tanh",
            keras.initializers.RandomNormal(stddev=0.01, seed=0),
            "vanishing",
            "Xavier",
        ),
        (
            "relu",
            keras.initializers.RandomNormal(stddev=1.0, seed=0),
            "exploding",
            "He",
        ),
        (None, He, "exploding", "Xavier"),
        ("sigmoid", Glorot, "vanishing", "Shorten the path"),
    ],
)
def test_names_the_right_initializer(
    x, activation, initializer, verdict, advice
):
    result = signal_propagation(network(12, activation, initializer), x)
    assert result.verdict == verdict
    if advice is None:
        assert result.advice == ()
    else:
        assert advice in result.advice[0]
        assert advice in str(result)


def test_names_only_the_layers_that_are_off(x):
    model = network(12, "relu", He)
    kernel = model.get_layer("hidden_3").kernel
    kernel.assign(0.001 * kernel)
    result = signal_propagation(model, x)
    assert result.verdict == "vanishing"
    assert "hidden_3 (relu" in result.advice[0]
    assert "hidden_4" not in result.advice[0]


def test_the_activation_may_be_a_layer_of_its_own(x):
    result = signal_propagation(network(3, "relu", He, norm=True), x)
    assert [layer.activation for layer in result.hidden] == ["relu"] * 3
    assert result.verdict == "healthy"


def test_measures_what_passes(rng):
    inputs = keras.Input((3,))
    hidden = layers.Dense(4, "tanh", name="a")(inputs)
    model = keras.Model(inputs, layers.Dense(2, name="b")(hidden))
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    first, last = signal_propagation(model, x, y).layers

    w1, b1, w2, b2 = (w.astype("float64") for w in model.get_weights())
    a1 = np.tanh(x @ w1 + b1)
    a2 = a1 @ w2 + b2
    d2 = 2 * (a2 - y) / a2.size
    d1 = d2 @ w2.T
    for layer, a, d in [(first, a1, d1), (last, a2, d2)]:
        assert layer.activation_mean == pytest.approx(a.mean(), rel=1e-4)
        assert layer.activation_std == pytest.approx(a.std(), rel=1e-4)
        assert layer.gradient_mean == pytest.approx(d.mean(), rel=1e-4)
        assert layer.gradient_std == pytest.approx(d.std(), rel=1e-4)
    assert first.weight_variance == pytest.approx(3 * (w1**2).mean(), rel=1e-5)


def test_opens_nested_branching_and_subclassed_models(rng):
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(8, "relu", name="in_block")

        def call(self, x):
            return x + self.dense(x)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.block, self.last = Block(), layers.Dense(2, name="last")

        def call(self, x):
            return self.last(self.block(x))

    subclassed = Net()
    x = rng.normal(size=(4, 8)).astype("float32")
    subclassed(x)
    inputs = keras.Input((8,))
    inner = keras.Sequential([keras.Input((8,)), layers.Dense(8, name="inner")])
    shared = layers.Dense(8, name="shared")
    sum_ = layers.add([shared(inputs), shared(inner(inputs))])
    model = keras.Model(inputs, [subclassed(sum_), layers.Dense(1)(sum_)])

    names = [layer.layer for layer in signal_propagation(model, x).layers]
    assert names.count("shared") == 2
    assert {"inner", "in_block", "last"} < set(names)
    assert names.index("inner") < names.index("in_block") < names.index("last")


def test_measures_convolutions_recurrence_and_embeddings(rng):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    kernel = model.get_layer("conv").kernel
    result = signal_propagation(model, rng.normal(size=(2, 8, 8, 1)))
    conv, depthwise = result.hidden
    expected = 9 * float(np.mean(np.square(kernel.numpy())))
    assert conv.weight_variance == pytest.approx(expected, rel=1e-5)
    kernel = model.get_layer("depthwise").kernel
    expected = 9 * float(np.mean(np.square(kernel.numpy())))
    assert depthwise.weight_variance == pytest.approx(expected, rel=1e-5)

    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(10, 4),
            layers.LSTM(4),
            layers.Dense(2),
        ]
    )
    result = signal_propagation(model, rng.integers(0, 10, (3, 6)))
    assert len(result.layers) == 3
    assert all(np.isfinite(layer.gradient_std) for layer in result.layers)


def test_leaves_the_model_as_it_was(x, rng):
    model = network(2, "relu", He, norm=True)
    model.add(layers.Dropout(0.5))
    model.compile("adam", "mse")
    before = [keras.ops.convert_to_numpy(v).copy() for v in model.variables]
    signal_propagation(model, x, rng.normal(size=(64, 4)))
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert not any("call" in vars(layer) for layer in model.layers)


def test_the_hooks_go_when_the_model_fails(x):
    model = network(2, "relu", He)
    with pytest.raises(ValueError, match="incompatible"):
        signal_propagation(model, x[:, :3])
    assert not any("call" in vars(layer) for layer in model.layers)


def test_a_dead_network_vanishes_and_an_infinite_one_explodes(x):
    assert signal_propagation(network(3, "relu", "zeros"), x).verdict == (
        "vanishing"
    )
    huge = network(3, None, identity_times(1e30))
    with np.errstate(all="ignore"):
        assert signal_propagation(huge, x).verdict == "exploding"


def test_gives_columns_to_plot(x):
    result = signal_propagation(network(3, "relu", He), x)
    columns = result.columns
    assert columns["layer"] == ["hidden_0", "hidden_1", "hidden_2", "output"]
    assert columns["gradient_std"] == [
        layer.gradient_std for layer in result.layers
    ]
    assert "hidden_1" in str(result)


def test_refuses_what_it_cannot_measure(x):
    with pytest.raises(TypeError, match="must be a Keras model"):
        signal_propagation(lambda x: x, x)
    with pytest.raises(ValueError, match="no weights yet"):
        signal_propagation(keras.Sequential([layers.Dense(1)]), x)
    with pytest.raises(ValueError, match="no loss for `y`"):
        signal_propagation(network(2, "relu", He), x, x)
