"""The exact pass: equal to one batch of the whole set, layer after layer."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from marks import on_tensorflow

from tfcourse.layers import (
    BatchNormalization,
    InvertedDropout,
    estimate_population_statistics,
    graph_sweep,
)


@pytest.fixture
def images(rng):
    return rng.normal(3, 2, (50, 6, 6, 3)).astype("float32")


@pytest.fixture
def rows(rng):
    return rng.normal(3, 2, (50, 5)).astype("float32")


def array(tensor):
    return ops.convert_to_numpy(tensor)


def norms(model):
    classes = (BatchNormalization, layers.BatchNormalization)
    found = [x for x in model._flatten_layers() if isinstance(x, classes)]
    return list(dict.fromkeys(found))


def averages(model):
    return [
        (array(norm.moving_mean), array(norm.moving_variance))
        for norm in norms(model)
    ]


def by_one_batch(model, x):
    """Returns the averages after the whole set has been one mini-batch."""
    for norm in norms(model):
        norm.momentum = 0.0
    model(x, training=True)
    return averages(model)


def assert_exact(model, x, data=None, **settings):
    data = x if data is None else data
    result = estimate_population_statistics(model, data, verbose=0, **settings)
    assert set(result) == set(norms(model))
    estimated = averages(model)
    np.testing.assert_allclose(
        np.concatenate([np.ravel(pair) for pair in estimated]),
        np.concatenate([np.ravel(pair) for pair in by_one_batch(model, x)]),
        rtol=1e-4,
        atol=1e-4,
    )


def residual_block():
    inputs = keras.Input((6, 6, 4))
    y = layers.Conv2D(4, 3, padding="same")(inputs)
    y = layers.ReLU()(BatchNormalization()(y))
    return keras.Model(inputs, layers.Add()([inputs, y]))


def network():
    """A graph with branches, operators, nested models and both classes."""
    inputs = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = skip = 2.0 * BatchNormalization()(x) + 1.0
    x = residual_block()(x)
    x = layers.BatchNormalization()(x)
    x = layers.Concatenate()([x, skip])
    x = keras.Sequential(
        [keras.Input((6, 6, 8)), layers.Conv2D(5, 3), BatchNormalization()]
    )(x)
    aside = layers.BatchNormalization()(skip)
    x = BatchNormalization()(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, [layers.Dense(2)(x), aside])


class Written(keras.Model):
    """A model written as a class, with a layer called twice side by side."""

    def __init__(self, circular=False):
        super().__init__()
        self.dense = layers.Dense(4)
        self.norm, self.last = BatchNormalization(), layers.BatchNormalization()
        self.circular = circular

    def call(self, x, training=None):
        z = self.dense(x)
        a = self.norm(z, training=training)
        b = self.norm(a if self.circular else 2 * z, training=training)
        return self.last(a + b, training=training)


class Plain(keras.Model):
    def __init__(self):
        super().__init__()
        self.norms = [BatchNormalization() for _ in range(2)]
        self.dense = layers.Dense(3)

    def call(self, x, training=None):
        one, two = self.norms
        z = self.dense(one(x, training=training))
        return two(z, training=training)


# Of the 50 images, the last batch has 1 where a batch has 7.
@pytest.mark.parametrize("batch_size", [7, 1000])
def test_equals_one_batch_of_the_whole_set(images, batch_size):
    assert_exact(network(), images, batch_size=batch_size)


def test_equals_numpy_in_float64(rng):
    x = rng.normal(1e4, 1, (1000, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), BatchNormalization()])

    [(mean, variance)] = estimate_population_statistics(
        model, x, batch_size=64, verbose=0
    ).values()

    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(variance, exact.var(axis=0), rtol=1e-12)
    [norm] = model.layers
    np.testing.assert_allclose(array(norm.moving_variance), variance, rtol=1e-6)
    np.testing.assert_array_equal(array(norm.moving_weight), np.ones(3))


def test_unbiased_divides_by_one_less(rows):
    model = keras.Sequential([keras.Input((5,)), BatchNormalization()])
    estimate_population_statistics(model, rows, unbiased=True, verbose=0)
    np.testing.assert_allclose(
        array(model.layers[0].moving_variance),
        rows.astype("float64").var(axis=0, ddof=1),
        rtol=1e-6,
    )


def test_each_example_passes_each_layer_once(images):
    seen = []

    class Counted(layers.Conv2D):
        def call(self, inputs):
            if not isinstance(inputs, keras.KerasTensor):
                seen.append((self.name, len(inputs)))
            return super().call(inputs)

    model = keras.Sequential([keras.Input((6, 6, 3))])
    for name in "abc":
        model.add(Counted(4, 3, padding="same", name=name))
        model.add(BatchNormalization())
        model.add(InvertedDropout(0.5))
    model.add(Counted(4, 3, name="useless"))
    seen.clear()
    # An iterator can be gone through once only.
    once = iter([images[:20], images[20:40], images[40:]])
    estimate_population_statistics(model, once, verbose=0)
    assert seen == [(name, n) for name in "abc" for n in (20, 20, 10)]


def test_large_activations_wait_in_a_file(images, monkeypatch):
    monkeypatch.setattr(graph_sweep, "MEMORY", 1)
    assert_exact(network(), images, batch_size=16)


def test_a_model_written_as_a_class(rows):
    model = Written()
    result = estimate_population_statistics(model, rows, 16, verbose=0)
    z = array(model.dense(rows)).astype("float64")
    pooled = np.concatenate([z, 2 * z])
    mean, variance = pooled.mean(axis=0), pooled.var(axis=0)
    np.testing.assert_allclose(result[model.norm], [mean, variance], rtol=1e-5)
    total = (3 * z - 2 * mean) / np.sqrt(variance + 1e-8)
    np.testing.assert_allclose(
        result[model.last],
        [total.mean(axis=0), total.var(axis=0)],
        rtol=1e-4,
        atol=1e-5,
    )


def test_a_graph_with_a_layer_written_as_a_class(rows):
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.norm = BatchNormalization()

        def call(self, x, training=None):
            return self.norm(x, training=training)

    model = keras.Sequential([keras.Input((5,)), Block(), layers.Dense(3)])
    model.add(BatchNormalization())
    assert_exact(model, rows)


def test_a_layer_shared_side_by_side_pools_its_inputs(rows):
    one, two = keras.Input((5,)), keras.Input((5,))
    norm = BatchNormalization()
    model = keras.Model(
        [one, two],
        BatchNormalization()(layers.Add()([norm(one), norm(2 * two)])),
    )
    other = rows[::-1] + 1
    result = estimate_population_statistics(model, [rows, other], verbose=0)
    pooled = np.concatenate([rows, 2 * other]).astype("float64")
    np.testing.assert_allclose(result[norm][0], pooled.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(result[norm][1], pooled.var(axis=0), rtol=1e-6)


def test_refuses_a_layer_that_feeds_itself(rows):
    inputs = keras.Input((5,))
    norm = BatchNormalization()
    graph = keras.Model(inputs, norm(norm(inputs)))
    for model in (graph, Written(circular=True)):
        model(rows)
        before = averages(model)
        with pytest.raises(ValueError, match="on its own output"):
            estimate_population_statistics(model, rows, verbose=0)
        np.testing.assert_equal(averages(model), before)


def test_padding_is_left_out(rng):
    x = rng.normal(3, 2, (30, 7, 2)).astype("float32")
    x[rng.random((30, 7)) < 0.4] = 0
    inputs = keras.Input((7, 2))
    y = layers.Masking()(inputs)
    y = BatchNormalization()(y)
    y = layers.Dense(3)(y)
    model = keras.Model(inputs, BatchNormalization()(y))
    first, _ = norms(model)

    assert_exact(model, x, batch_size=8)

    model = keras.Model(inputs, first(layers.Masking()(inputs)))
    result = estimate_population_statistics(model, x, verbose=0)
    kept = x[np.any(x != 0, axis=-1)].astype("float64")
    np.testing.assert_allclose(result[first][0], kept.mean(axis=0), rtol=1e-6)


def test_channels_first(rng):
    x = rng.normal(size=(20, 3, 4)).astype("float32")
    model = keras.Sequential([keras.Input((3, 4)), BatchNormalization(axis=1)])
    assert_exact(model, x, batch_size=8)


class Pairs(keras.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 5

    def __getitem__(self, i):
        return self.x[10 * i : 10 * i + 10], np.zeros(10)


@pytest.mark.parametrize("model", ["graph", "class"])
@pytest.mark.parametrize("kind", ["array", "pair", "batches", "PyDataset"])
def test_takes_data_of_each_kind(rows, model, kind):
    data = {
        "array": rows,
        "pair": (rows, np.zeros(50)),
        "batches": list(map(tuple, zip(np.split(rows, 5), strict=True))),
        "PyDataset": Pairs(rows),
    }[kind]
    if kind == "batches":
        data = Repeated(data)
    graph = keras.Sequential([keras.Input((5,)), BatchNormalization()])
    model = graph if model == "graph" else Plain()
    assert_exact(model, rows, data, batch_size=16)


class Repeated:
    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


@on_tensorflow
def test_takes_a_tensorflow_dataset(rows):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((rows, rows)).batch(16)
    assert_exact(Plain(), rows, data)
    with pytest.raises(ValueError, match="has no end"):
        estimate_population_statistics(Written(), data.repeat())


def test_takes_inputs_by_name(rows):
    inputs = {name: keras.Input((5,), name=name) for name in "ab"}
    model = keras.Model(
        inputs, BatchNormalization()(inputs["a"] - 2 * inputs["b"])
    )
    assert_exact(model, {"a": rows, "b": rows[::-1].copy()}, batch_size=16)


def test_builds_a_model_that_is_not(rows):
    model = keras.Sequential([layers.Dense(3), BatchNormalization()])
    assert_exact(model, rows)


def test_sets_only_the_layers_named(rows):
    model = keras.Sequential(
        [keras.Input((5,)), BatchNormalization(), BatchNormalization()]
    )
    one, two = model.layers
    estimate_population_statistics(model, rows, layers=[two], verbose=0)
    np.testing.assert_array_equal(array(one.moving_mean), np.zeros(5))
    np.testing.assert_allclose(
        array(two.moving_mean), rows.mean(axis=0), rtol=1e-5
    )
    with pytest.raises(ValueError, match="`layers` must be batch-norm"):
        estimate_population_statistics(model, rows, layers=[layers.Dense(1)])


def test_agrees_with_renormalization_of_keras(rows):
    norm = layers.BatchNormalization(renorm=True)
    model = keras.Sequential([keras.Input((5,)), norm])
    estimate_population_statistics(model, rows, verbose=0)
    np.testing.assert_allclose(
        array(norm.moving_stddev), np.sqrt(rows.var(axis=0) + 1e-3), rtol=1e-5
    )


def test_shows_progress(rows, capsys):
    model = keras.Sequential(
        [keras.Input((5,)), BatchNormalization(), BatchNormalization()]
    )
    keras.config.enable_interactive_logging()
    estimate_population_statistics(model, rows, batch_size=10)
    assert "10/10" in capsys.readouterr().out
    estimate_population_statistics(model, iter(np.split(rows, 5)))
    assert "10/10" in capsys.readouterr().out
    estimate_population_statistics(model, rows, verbose=0)
    assert capsys.readouterr().out == ""


def test_an_error_leaves_the_model_as_it_was(rows):
    model = keras.Sequential(
        [keras.Input((5,)), BatchNormalization(), BatchNormalization()]
    )
    before = averages(model)

    def broken():
        yield rows
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk"):
        estimate_population_statistics(model, broken(), verbose=0)
    np.testing.assert_equal(averages(model), before)


class TestBadInput:
    model = staticmethod(
        lambda: keras.Sequential([keras.Input((5,)), BatchNormalization()])
    )

    def test_no_batch_norm(self, rows):
        model = keras.Sequential([keras.Input((5,)), layers.Dense(1)])
        with pytest.raises(ValueError, match="no batch-normalization layer"):
            estimate_population_statistics(model, rows)

    def test_no_data(self, rows):
        for data in (rows[:0], iter([])):
            with pytest.raises(ValueError, match="0 values for a feature"):
                estimate_population_statistics(self.model(), data, verbose=0)

    def test_what_is_no_data(self):
        with pytest.raises(TypeError, match="`data` must be arrays"):
            estimate_population_statistics(self.model(), 3)

    def test_what_is_no_model(self, rows):
        with pytest.raises(TypeError, match="`model` .* must be a Keras model"):
            estimate_population_statistics(3, rows)

    def test_an_iterator_where_several_passes_are_needed(self, rows):
        with pytest.raises(ValueError, match="only once"):
            estimate_population_statistics(
                Written(), iter([rows, rows]), verbose=0
            )

    def test_unlike_lengths(self, rows):
        with pytest.raises(ValueError, match=r"same length.*\[40, 50\]"):
            estimate_population_statistics(self.model(), [rows, rows[:40]])

    @pytest.mark.parametrize("batch_size", [0, -1, 1.5])
    def test_batch_size(self, rows, batch_size):
        with pytest.raises((TypeError, ValueError), match="`batch_size`"):
            estimate_population_statistics(
                self.model(), rows, batch_size=batch_size
            )

    def test_not_finite(self, rows):
        rows[3, 2] = np.nan
        with pytest.raises(ValueError, match="not all finite"):
            estimate_population_statistics(self.model(), rows, verbose=0)
