"""Supernets: is a small network in one trained as by itself?"""

import keras
import numpy as np
import populations
import pytest
import supernets
from keras import layers

from tfcourse import layers as own_layers
from tfcourse import optimizers
from tfcourse.tuning import supernet
from tfcourse.tuning.population import build_deferred, structure
from tfcourse.tuning.supernet.supported import ZERO_TO_ZERO_ACTIVATIONS


def compiled(*hidden, optimizer="adam", outputs=3, inputs=6):
    model = keras.Sequential(
        [
            keras.Input((inputs,)),
            *hidden,
            layers.Dense(outputs, activation="softmax"),
        ]
    )
    model.compile(
        optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def two_widths(n, m, optimizer, activation="relu", outputs=3):
    return compiled(
        layers.Dense(n, kernel_initializer="he_normal", use_bias=False),
        layers.BatchNormalization(),
        layers.Activation(activation),
        layers.Dense(m, activation="tanh", kernel_regularizer="l2"),
        optimizer=optimizer,
        outputs=outputs,
    )


def convolutional(n, m, optimizer):
    return compiled(
        layers.Reshape((3, 2, 1)),
        layers.Conv2D(n, 2, padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D((2, 1)),
        layers.Flatten(),
        layers.Dense(m, activation="relu"),
        optimizer=optimizer,
    )


def depths(n, depth, optimizer):
    hidden = []
    for _ in range(depth):
        hidden += [
            layers.Dense(n, use_bias=False),
            own_layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
        ]
    return compiled(*hidden, optimizer=optimizer)


def decaying_adam(rate):
    return keras.optimizers.AdamW(rate, weight_decay=0.1)


# Sizes and optimizers of the members.
CASES = {
    "widths": [
        lambda: two_widths(4, 7, keras.optimizers.Nadam(0.01)),
        lambda: two_widths(5, 3, keras.optimizers.Nadam(0.02)),
    ],
    "filters": [
        lambda: convolutional(4, 7, keras.optimizers.SGD(0.05, momentum=0.9)),
        lambda: convolutional(5, 3, keras.optimizers.SGD(0.02, momentum=0.9)),
    ],
    "depths": [
        lambda: depths(5, 1, decaying_adam(0.01)),
        lambda: depths(3, 3, decaying_adam(0.02)),
        lambda: depths(4, 2, decaying_adam(0.02)),
    ],
    "adadelta": [
        lambda: two_widths(4, 7, keras.optimizers.Adadelta(1.0)),
        lambda: two_widths(5, 3, keras.optimizers.Adadelta(0.5)),
    ],
    "optimizers": [
        lambda: depths(4, 1, optimizers.Momentum(0.1, l2=0.1)),
        lambda: depths(5, 2, optimizers.Adam(0.02)),
        lambda: depths(3, 2, keras.optimizers.RMSprop(0.01, use_ema=True)),
        lambda: depths(
            4, 2, keras.optimizers.SGD(0.1, weight_decay=0.1, clipnorm=0.1)
        ),
        lambda: depths(3, 1, optimizers.Adam(0.01)),
        # Its slots begin at 0.1.
        lambda: depths(4, 2, keras.optimizers.Adagrad(0.1)),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_small_networks_train_as_by_themselves(rng, name):
    y = rng.integers(3, size=40)
    x = (rng.normal(size=(40, 6)) + y[:, None]).astype("float32")
    supernets.assert_trained_as_alone(CASES[name], x, y)


def test_optimizers_share_their_slots():
    builds = [
        lambda: depths(3, 2, optimizers.Adam(0.01)),
        lambda: depths(4, 2, optimizers.Momentum(0.1)),
        lambda: depths(5, 2, optimizers.RMSprop(0.1)),
    ]
    net = supernet.Supernet(builds, [build_deferred(build) for build in builds])
    choice, *others = net.model.optimizer.variables
    assert choice.shape == (3,)
    # Adam's, two for each parameter, are all that there are.
    slots = [tuple(v.shape) for v in others if len(v.shape)]
    parameters = [tuple(v.shape) for v in net.model.trainable_variables]
    assert sorted(slots) == sorted(2 * parameters)


def test_draws_the_same_values_again():
    builds = CASES["depths"]
    drafts = [build_deferred(build, seed=k) for k, build in enumerate(builds)]
    net = supernet.Supernet(builds, drafts)
    columns, _ = net.initial_values(drafts)
    again, _ = net.initial_values(drafts[1:])
    for a, b in zip(columns, again, strict=True):
        np.testing.assert_array_equal(a[1:], b)


def adam_of_depths(n, depth):
    return build_deferred(
        lambda: depths(n, depth, optimizers.Adam(0.01)), seed=n
    )


def test_accepts_what_finds_room():
    drafts = [adam_of_depths(3, 2), adam_of_depths(5, 3)]
    builds = [lambda: depths(3, 2, optimizers.Adam(0.01))] * 2
    builds[1] = lambda: depths(5, 3, optimizers.Adam(0.01))
    net = supernet.Supernet(builds, drafts)
    assert net.accepts([adam_of_depths(8, 2), adam_of_depths(1, 3)])
    assert not net.accepts([adam_of_depths(8, 2), adam_of_depths(9, 2)])
    assert not net.accepts([adam_of_depths(5, 1)])
    assert not net.accepts([adam_of_depths(5, 4)])
    assert not net.accepts([build_deferred(lambda: depths(5, 2, "sgd"))])
    assert not net.accepts([build_deferred(lambda: two_widths(5, 5, "adam"))])


@pytest.mark.slow
def test_who_comes_later_trains_as_by_itself(rng):
    y = rng.integers(3, size=40)
    x = (rng.normal(size=(40, 6)) + y[:, None]).astype("float32")
    builds = CASES["depths"]
    drafts = [build_deferred(build, seed=k) for k, build in enumerate(builds)]
    net = supernet.Supernet(builds, drafts)
    settings = {"batch_size": 16, "shuffle": False, "epochs": 2}
    first = populations.of_values(
        net.model, *net.initial_values(drafts), jit_compile=False
    )
    first.fit(x, y, **settings)

    late = build_deferred(lambda: depths(7, 2, decaying_adam(0.03)), seed=9)
    assert net.accepts([late])
    population = populations.of_values(
        net.model,
        *net.initial_values([late]),
        jit_compile=False,
        like=first.traced,
    )
    (history,) = population.fit(x, y, **settings)
    keras.utils.set_random_seed(9)
    alone = depths(7, 2, decaying_adam(0.03))
    expected = alone.fit(x, y, verbose=0, **settings).history["loss"]
    np.testing.assert_allclose(history.history["loss"], expected, rtol=1e-4)


def family(build):
    return supernet.family(build_deferred(build))


def test_what_is_embedded_together():
    def of(n=4, depth=2, **settings):
        return family(lambda: depths(n, depth, "adam", **settings))

    assert of() == of(n=5) == of(depth=3)
    assert structure(build_deferred(lambda: depths(4, 2, "adam"))) != structure(
        build_deferred(lambda: depths(5, 2, "adam"))
    )
    same, other = of(), family(lambda: depths(4, 2, "sgd"))
    assert same[0] == other[0]
    assert same[1] != other[1]


def test_what_is_kept_apart():
    def of(n=3, activation="relu", outputs=3):
        return family(lambda: two_widths(n, 4, "adam", activation, outputs))

    assert of() == of(n=4)
    # Only the second of its widths may be another.
    assert of(activation="softmax") != of(4, activation="softmax")
    assert of() != of(outputs=4)
    apart = [
        lambda: compiled(layers.Dense(4, "relu")),
        lambda: compiled(layers.Dense(4, "relu"), inputs=5),
        lambda: compiled(layers.Dense(4, "relu", use_bias=False)),
    ]
    assert len({family(build) for build in apart}) == len(apart)


def test_what_is_a_value_of_each_member():
    together = [
        lambda: compiled(layers.Dense(4, "relu")),
        lambda: compiled(layers.Dropout(0.1), layers.Dense(4, "relu")),
        lambda: compiled(layers.Dense(4, "relu"), layers.Dropout(0.1)),
        lambda: compiled(layers.Dense(4, "relu"), layers.Dense(4, "tanh")),
    ]
    assert len({family(build)[0] for build in together}) == 1


def test_only_small_networks_share_their_optimizers():
    small, large = (
        build_deferred(lambda n=n: depths(n, 2, "adam")) for n in (50, 500)
    )
    assert supernet.is_small(small)
    assert not supernet.is_small(large)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.LayerNormalization(),
        lambda: layers.GaussianNoise(0.1),
        lambda: layers.Softmax(),
        lambda: layers.Dense(
            4, kernel_regularizer=keras.regularizers.OrthogonalRegularizer()
        ),
    ],
)
def test_refuses_layers_that_see_the_width(layer):
    assert supernet.family(compiled(layers.Dense(4), layer())) is None


def test_refuses_activations_that_see_all_features():
    def of(activation):
        return supernet.family(compiled(layers.Dense(4, activation)))

    assert of("softmax") is None
    assert of(lambda x: x + 1) is None
    assert of("tanh") is not None


@pytest.mark.parametrize("name", ZERO_TO_ZERO_ACTIVATIONS)
def test_activations_map_zero_to_zero(name):
    activation = getattr(keras.activations, name)
    assert float(activation(np.zeros((1, 1), "float32"))[0, 0]) == 0.0


class SaysNoShape(layers.Layer):
    def call(self, x):
        return x


def test_knows_how_small_a_network_is_whose_layers_say_no_shapes():
    def of(units):
        return supernet.is_small(
            compiled(layers.Dense(units), SaysNoShape(), layers.Dense(units))
        )

    assert of(4)
    assert not of(2**9)
