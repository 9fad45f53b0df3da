"""Steps of which XLA compiles the optimizer's half, for any mini-batches."""

import keras
import numpy as np
import populations
import pytest
from keras import layers

from tfcourse.optimizers import Adam
from tfcourse.tuning.population import Population
from tfcourse.tuning.population import training_loop as epochs
from tfcourse.tuning.population.state import columns_of

if keras.config.backend() != "tensorflow":
    pytest.skip(
        "Halves of steps are of the TensorFlow engine.", allow_module_level=True
    )

from tfcourse.tuning.population.engines import tensorflow as tensorflow_engine
from tfcourse.tuning.population.engines.programs import Kind, ProgramKey


@pytest.fixture(autouse=True)
def shards_of_two(monkeypatch):
    monkeypatch.setattr(epochs, "_STEPS_WORTH_COMPILING", 1)
    monkeypatch.setattr(tensorflow_engine, "size_of_shards", lambda *_: 2)


@pytest.fixture
def data(rng):
    return rng.normal(size=(30, 3)).astype("float32"), rng.integers(2, size=30)


def classifier(*hidden, seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            *(make() for make in hidden),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        Adam(0.01 * (seed + 1)),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def dense(seed):
    # A bias before batch norm has no gradient but rounding, which Adam scales.
    return classifier(
        lambda: layers.Dense(4, use_bias=False),
        layers.BatchNormalization,
        seed=seed,
    )


def embedded(seed):
    return classifier(lambda: layers.Embedding(5, 2), layers.Flatten, seed=seed)


def population_of(models, like=None, **settings):
    for model in models:
        model.optimizer.build(model.trainable_variables)
    return populations.of_values(
        models[0], columns_of(models), like=like, **settings
    )


def assert_same(population, expected, histories, curves):
    for k in range(len(population)):
        for name, curve in curves[k].history.items():
            np.testing.assert_allclose(histories[k].history[name], curve, 1e-5)
        for a, b in zip(population.values(k), expected.values(k), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_one_trace_serves_any_batch_size_and_number_of_members(data):
    first = plain = None
    for batch_size, members in [(8, 5), (4, 3), (30, 2)]:
        settings = {"batch_size": batch_size, "epochs": 2, "shuffle": False}
        models = [dense(k) for k in range(members)]
        expected = population_of(models, plain, jit_compile=False)
        curves = expected.fit(*data, validation_data=data, **settings)
        population = population_of(models, first, any_batch_size=True)
        histories = population.fit(*data, validation_data=data, **settings)
        assert population.report["xla"]
        assert_same(population, expected, histories, curves)
        first, plain = first or population.traced, plain or expected.traced
    trained = [
        k for k in first.engine.programs.keys if k.kind.name.startswith("TRAIN")
    ]
    assert trained == [ProgramKey(Kind.TRAIN_UPDATED_BY_XLA, 2)]


@pytest.mark.slow
def test_members_with_examples_of_their_own(rng, data):
    rows = rng.permuted(np.tile(np.arange(30), (5, 1)), axis=1)
    settings = {
        "batch_size": 8,
        "epochs": 2,
        "shuffle": False,
        "subsets": [rows[:, :20], rows[:, 20:]],
    }
    models = [dense(k) for k in range(5)]
    expected = Population(models, jit_compile=False)
    curves = expected.fit(*data, **settings)
    population = population_of(models, any_batch_size=True)
    assert_same(population, expected, population.fit(*data, **settings), curves)
    assert population.report["xla"]


def test_sparse_gradients_go_without_xla(rng, data):
    x, y = rng.integers(5, size=(30, 3)), data[1]
    settings = {"batch_size": 8, "epochs": 2, "shuffle": False}
    models = [embedded(k) for k in range(3)]
    expected = Population(models, jit_compile=False)
    curves = expected.fit(x, y, **settings)
    population = population_of(models, any_batch_size=True)
    assert_same(population, expected, population.fit(x, y, **settings), curves)
    assert not population.report["xla"]
    assert population.report["remarks"] == []
