"""Deferred models: are they the models that they stand for?"""

import keras
import numpy as np
import populations
import pytest
from keras import layers

from tfcourse import optimizers
from tfcourse.tuning.population import (
    Population,
    build_deferred,
    initial_values,
    structure,
)


def sequential():
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(4, kernel_initializer="he_normal"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Reshape((2, 2)),
            layers.LSTM(3, kernel_initializer="random_normal"),
            layers.Dense(2),
        ]
    )
    rate = float(np.random.uniform())
    model.compile(optimizers.Momentum(rate, beta=rate), "mse")
    return model


def functional():
    x = keras.Input((8,))
    h = layers.Reshape((4, 2))(x)
    h = layers.MultiHeadAttention(2, 3)(h, h)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(h)))
    model.compile(keras.optimizers.Adam(float(np.random.uniform())), "mse")
    return model


def reads_weights():
    model = sequential()
    model.layers[0].get_weights()[0][0]
    return model


def assigns_weights():
    model = sequential()
    model.layers[0].bias.assign([5.0, 6.0, 7.0, 8.0])
    return model


@pytest.mark.parametrize(
    "build", [sequential, functional, reads_weights, assigns_weights]
)
def test_draws_the_weights_of_the_model_built_alone(build):
    seeds = [3, 5, 7]
    deferred = [build_deferred(build, seed) for seed in seeds]
    assert len({structure(d) for d in deferred}) == 1
    template = build()
    template.optimizer.build(template.trainable_variables)
    columns = initial_values(template, deferred)
    for k, seed in enumerate(seeds):
        keras.utils.set_random_seed(seed)
        model = build()
        model.optimizer.build(model.trainable_variables)
        variables = [
            *model.trainable_variables,
            *model.non_trainable_variables,
            *model.optimizer.variables,
        ]
        for variable, column in zip(variables, columns, strict=True):
            np.testing.assert_array_equal(
                keras.ops.convert_to_numpy(variable), column[k]
            )


def test_a_population_of_deferred_models_trains_as_one_of_models(rng):
    x, y = rng.normal(size=(20, 8)), rng.normal(size=(20, 2))
    deferred = [build_deferred(functional, k) for k in range(2)]
    models = []
    for k in range(2):
        keras.utils.set_random_seed(k)
        models.append(functional())
    template = functional()
    template.optimizer.build(template.trainable_variables)
    one = populations.of_values(template, initial_values(template, deferred))
    other = Population(models)
    a, b = (p.fit(x, y, shuffle=False) for p in (one, other))
    assert [h.history for h in a] == [h.history for h in b]


def test_what_build_raises_is_raised():
    def broken():
        raise RuntimeError("no such space")

    with pytest.raises(RuntimeError, match="no such space"):
        build_deferred(broken)


def test_tensorflow_notes_nothing_of_a_deferred_model():
    def noted(model):
        return list(model.layers[0]._trackable_children())

    if keras.config.backend() == "tensorflow":
        assert noted(build_deferred(sequential)) == []
        assert "kernel" in " ".join(noted(sequential()))


def test_models_are_built_as_ever_afterwards():
    build_deferred(sequential)
    model = sequential()
    assert model.built
    assert model.get_weights()[0].shape == (8, 4)


def test_a_trained_program_serves_other_sizes(rng, monkeypatch):
    x, y = rng.normal(size=(20, 8)), rng.normal(size=(20, 2))
    template = functional()
    template.optimizer.build(template.trainable_variables)
    deferred = [build_deferred(functional, k) for k in range(3)]
    columns = initial_values(template, deferred)
    settings = {"shuffle": False, "batch_size": 8}
    population = populations.of_values(template, columns, jit_compile=False)
    expected = population.fit(x, y, **settings)

    two = [column[:2] for column in columns]
    first = populations.of_values(template, two, jit_compile=False)
    first.fit(x, y, batch_size=5)
    traced = []
    forward = type(first.traced.member).forward
    monkeypatch.setattr(
        type(first.traced.member),
        "forward",
        lambda *args, **kw: traced.append(1) or forward(*args, **kw),
    )
    second = populations.of_values(
        template, columns, jit_compile=False, like=first.traced
    )
    histories = second.fit(x, y, **settings)

    if keras.config.backend() == "tensorflow":
        assert not traced
    for a, b in zip(histories, expected, strict=True):
        assert a.history["loss"] == pytest.approx(b.history["loss"], rel=1e-5)


def test_layers_from_elsewhere_keep_their_variables():
    scale = keras.layers.Normalization()
    scale.adapt(np.array([[1.0], [3.0]]))
    kinds = [type(v.value) for v in scale.variables]

    def build():
        model = keras.Sequential([keras.Input((1,)), scale])
        scale.adapt_mean.assign([7.0])
        model.add(keras.layers.Dense(1))
        model.compile("sgd", "mse")
        return model

    model = build_deferred(build)

    assert [type(v.value) for v in scale.variables] == kinds
    # As when the model itself is built.
    assert np.asarray(scale.adapt_mean.value).tolist() == [7.0]
    assert isinstance(model, keras.Model)
