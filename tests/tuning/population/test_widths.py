"""Widths: is a narrow network in a wide one trained as by itself?"""

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse.tuning import widths
from tfcourse.tuning.population import Population, draft, structure

OPTIMIZERS = {
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "clipped": lambda: keras.optimizers.RMSprop(0.01, global_clipnorm=0.3),
}


def dense(n, m, optimizer, activation="relu", last=3):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(n, kernel_initializer="he_normal", use_bias=False),
            layers.BatchNormalization(),
            layers.Activation(activation),
            layers.Dense(m, activation="tanh", kernel_regularizer="l2"),
            layers.Dense(last, activation="softmax"),
        ]
    )
    model.compile(
        optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def convolutional(n, m, optimizer):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Reshape((3, 2, 1)),
            layers.Conv2D(n, 2, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D((2, 1)),
            layers.Flatten(),
            layers.Dense(m, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("network", [dense, convolutional])
def test_narrow_networks_train_as_by_themselves(rng, network, name):
    y = rng.integers(3, size=40)
    x = (rng.normal(size=(40, 6)) + y[:, None]).astype("float32")
    sizes = [(4, 7), (5, 3), (4, 3)]

    def build(k):
        return lambda: network(*sizes[k], OPTIMIZERS[name]())

    drafts = [draft(build(k), seed=k) for k in range(3)]
    assert len({widths.structure_of_any_width(d) for d in drafts}) == 1
    template = widths.widest(build(0), drafts)
    columns, crops = widths.initial_values(template, drafts)
    population = Population.from_columns(
        template, columns, crops, jit_compile=False
    )
    settings = {
        "epochs": 3,
        "batch_size": 16,
        "shuffle": False,
        "validation_data": (x, y),
    }
    histories = population.fit(x, y, **settings)

    for k in range(3):
        keras.utils.set_random_seed(k)
        alone = build(k)()
        expected = alone.fit(x, y, verbose=0, **settings).history
        for metric, values in expected.items():
            np.testing.assert_allclose(
                histories[k].history[metric], values, rtol=1e-4, atol=1e-5
            )
        keras.utils.set_random_seed(k)
        cut = build(k)()
        population.assign_to(k, cut)
        for a, b in zip(cut.variables, alone.variables, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)
        np.testing.assert_allclose(
            cut.predict(x, verbose=0), population.predict(x)[k], atol=1e-6
        )


def test_what_would_not_stay_zero_is_kept_apart():
    def of(n, **settings):
        return draft(lambda: dense(n, 4, "adam", **settings))

    assert structure(of(3)) != structure(of(4))
    same = widths.structure_of_any_width
    assert same(of(3)) == same(of(4))
    assert same(of(3, activation="sigmoid")) != same(
        of(4, activation="sigmoid")
    )
    assert same(of(3, last=3)) != same(of(3, last=4))


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
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4), layer(), layers.Dense(2)]
    )
    model.compile("adam", "mse")
    assert widths.widths(model) is None


@pytest.mark.parametrize("name", widths._THROUGH_ORIGIN)
def test_activations_pass_through_the_origin(name):
    activation = getattr(keras.activations, name)
    assert float(activation(np.zeros((1, 1), "float32"))[0, 0]) == 0.0
