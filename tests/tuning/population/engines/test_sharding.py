"""Members in shards: the same as in one piece, whatever their number."""

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse.tuning.population import Population

if keras.config.backend() != "tensorflow":
    pytest.skip("Shards are of the TensorFlow engine.", allow_module_level=True)

import tensorflow as tf

from tfcourse.tuning.population.engines import sharding as shards
from tfcourse.tuning.population.engines import tensorflow as tensorflow_engine


@pytest.mark.parametrize(
    "members, size, firsts",
    [(4, 4, [0]), (6, 3, [0, 3]), (7, 3, [0, 3, 4]), (5, 4, [0, 1])],
)
def test_each_member_gets_its_own_value(members, size, firsts):
    seen = []

    @tf.function
    def program(state):
        def of_shard(first, shard):
            tf.py_function(lambda f: seen.append(int(f)), [first], [])
            a, b, c = shard
            return [2 * a, b, c + a[:, 0]]

        return shards.in_shards(of_shard, size, state, written=[0, 2])

    a = np.arange(2.0 * members).reshape(members, 2)
    b = np.ones(members)
    twice, same, sums = program(
        [tf.constant(a), tf.constant(b), tf.constant(b)]
    )
    np.testing.assert_array_equal(twice, 2 * a)
    np.testing.assert_array_equal(same, b)
    np.testing.assert_array_equal(sums, 1 + a[:, 0])
    assert sorted(seen) == firsts


@pytest.mark.parametrize(
    "cores, members, size",
    [(2, 64, 4), (2, 5, 3), (2, 1, 2), (16, 33, 3), (1, 10, 4)],
)
def test_size_of_shards(monkeypatch, cores, members, size):
    monkeypatch.setattr(shards, "cores", lambda: cores)
    monkeypatch.setattr(shards.tf.config, "list_physical_devices", _no_gpu)
    assert shards.size_of_shards(members) == size


def test_shards_are_larger_where_xla_compiles_all(monkeypatch):
    monkeypatch.setattr(shards, "cores", lambda: 2)
    monkeypatch.setattr(shards.tf.config, "list_physical_devices", _no_gpu)
    sizes = [shards.size_of_shards(n, by_xla=True) for n in (3, 20, 64)]
    assert sizes == [2, 10, 16]


def _no_gpu(kind):
    assert kind == "GPU"
    return []


def test_a_gpu_takes_all_members_at_once(monkeypatch):
    monkeypatch.setattr(
        shards.tf.config, "list_physical_devices", lambda kind: ["a GPU"]
    )
    assert shards.size_of_shards(64) is None


@pytest.mark.slow
@pytest.mark.parametrize("with_subsets", [False, True])
@pytest.mark.parametrize("size", [2, 8])
def test_population_in_shards_equals_one_piece(
    rng, monkeypatch, size, with_subsets
):
    x = rng.normal(size=(30, 3)).astype("float32")
    y = rng.integers(2, size=30)
    subsets = None
    if with_subsets:
        subsets = [rng.permuted(np.tile(np.arange(30), (5, 1)), axis=1)] * 2
        subsets = [subsets[0][:, :20], subsets[1][:, 20:]]

    def trained(size):
        monkeypatch.setattr(
            tensorflow_engine, "size_of_shards", lambda *arguments: size
        )
        population = Population([model(k) for k in range(5)], jit_compile=True)
        histories = population.fit(
            x,
            y,
            batch_size=8,
            epochs=2,
            shuffle=False,
            subsets=subsets,
            validation_data=None if with_subsets else (x, y),
        )
        assert population.report["xla"]
        return population, histories

    # In one piece, as where there is a GPU.
    whole, expected = trained(None)
    parts, actual = trained(size)
    for k in range(5):
        assert actual[k].history.keys() == expected[k].history.keys()
        for name, curve in expected[k].history.items():
            np.testing.assert_allclose(actual[k].history[name], curve, 1e-5)
        for a, b in zip(parts.values(k), whole.values(k), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def model(seed):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, activation="tanh"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01 * (seed + 1)),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
