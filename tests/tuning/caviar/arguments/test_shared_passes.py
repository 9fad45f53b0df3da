"""Which datasets may all members of a population read together?"""

import gc
import itertools
import random
import threading
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.caviar.arguments.shared_passes import SharedPasses
from tfcourse.utils import tensorflow_private

X = np.arange(24, dtype="float32").reshape(12, 2)
GENERATOR = np.random.default_rng(0)
COUNT = itertools.count()


class Plain(keras.utils.PyDataset):
    def __init__(self, **attributes):
        super().__init__()
        vars(self).update(attributes)

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return self.rows(i), np.ones(3)

    def rows(self, i):
        return X[3 * i : 3 * i + 3]


def pydataset(rows, **attributes):
    return type("Own", (Plain,), {"rows": rows})(**attributes)


class OwnLength(Plain):
    length = 2

    @property
    def num_batches(self):
        return self.length

    def rows(self, i):
        return super().rows(i % 4)


class Counts(Plain):
    def on_epoch_begin(self):
        pass


class Remembers(Plain):
    calls = 0

    def rows(self, i):
        self.calls += 1
        return super().rows(i) + (self.calls > 100)


class WritesInPlace(Plain):
    def rows(self, i):
        self.table *= 2
        return self.table[i : i + 1]


LARGE = np.ones((1 << 18, 2))


# What each does, and a word of why its passes must not be shared.
OF_KERAS = {
    "hook": (Counts(), "on_epoch_begin"),
    "NumPy": (pydataset(lambda s, i: X[:3] + np.random.normal()), "different"),
    "Python": (pydataset(lambda s, i: X[:3] + random.random()), "different"),
    "Keras": (
        pydataset(lambda s, i: X[:3] + keras.random.normal((1,))),
        "different",
    ),
    "TensorFlow": (
        pydataset(lambda s, i: X[:3] + tf.random.normal((1,))),
        "different",
    ),
    "rarely": (
        pydataset(lambda s, i: X[:3] + (np.random.random() < 0)),
        "random",
    ),
    "a generator of its own": (
        pydataset(
            lambda s, i: X[:3] + s.rng.normal(), rng=np.random.default_rng(0)
        ),
        "different",
    ),
    "a generator from elsewhere": (
        pydataset(lambda s, i: X[:3] + GENERATOR.normal()),
        "different",
    ),
    "a counter from elsewhere": (
        pydataset(lambda s, i: X[:3] + next(COUNT)),
        "different",
    ),
    "a counter": (Remembers(), "changes"),
    "a table": (WritesInPlace(table=np.ones((4, 2))), "different"),
    "a large table": (WritesInPlace(table=LARGE), "read-only"),
    "no copy": (Plain(lock=threading.Lock()), "copied"),
    "raises": (pydataset(lambda s, i: X[:, 9]), "IndexError"),
}


@pytest.mark.parametrize("name", OF_KERAS)
def test_a_dataset_of_keras_that_each_trial_reads_by_itself(name):
    data, why = OF_KERAS[name]
    keras.utils.set_random_seed(0)
    for _ in range(2):
        with pytest.raises(CannotVectorize, match=f"`x` is a PyData.*{why}"):
            SharedPasses().shared(data, "x")
    assert LARGE.max() == 1


def test_a_dataset_is_not_read_to_find_out():
    data = Remembers()
    states = np.random.get_state()[1].tolist(), random.getstate()
    passes = SharedPasses()
    for _ in range(2):
        with pytest.raises(CannotVectorize):
            passes.shared(data, "x")
    assert data.calls == 0
    assert states == (np.random.get_state()[1].tolist(), random.getstate())


def test_all_trials_read_one_dataset_of_keras():
    data, passes = Plain(table=LARGE), SharedPasses()
    shared = passes.shared(data, "x")
    assert passes.shared(data, "x") is shared
    assert shared.num_batches == len(data)
    np.testing.assert_array_equal(shared[2][0], X[6:9])
    other = passes.shared(Plain(), "validation_data")
    assert other is not shared
    # Of one a trial, the last few are kept.
    gone = weakref.ref(other)
    del other
    for _ in range(9):
        passes.shared(Plain(), "x")
    gc.collect()
    assert gone() is None


def test_a_dataset_may_say_its_length_or_have_no_end():
    for length in (2, None):
        OwnLength.length = length
        shared = SharedPasses().shared(OwnLength(), "x")
        assert shared.num_batches == length
    with pytest.raises(CannotVectorize, match="unknown length"):
        SharedPasses().shared(slices().repeat(), "x")
    data = slices().repeat()
    assert SharedPasses().shared(data, "x", endless=True) is data


def test_a_batch_that_is_another_one_later_is_found():
    late = pydataset(lambda self, i: X[3 * i : 3 * i + 3] + LATER[0])
    shared = SharedPasses().shared(late, "x")
    shared[1]
    LATER[0] = 1.0
    shared[2]
    with pytest.raises(CannotVectorize, match="different batches"):
        shared[1]


LATER = [0.0]


def slices(n=4):
    return tf.data.Dataset.from_tensor_slices((X, X[:, 0])).batch(n)


def drawing(**seed):
    return slices().map(lambda x, y: (x + tf.random.uniform([], **seed), y))


VARIABLE = tf.Variable(0.0)
NOISE = keras.layers.GaussianNoise(0.1, seed=1)


def counted(x, y):
    return x + VARIABLE.assign_add(1.0), y


SHARED = {
    "plain": lambda: slices().cache().prefetch(2),
    "mapped": lambda: slices().map(
        lambda x, y: (2 * x, y), num_parallel_calls=2
    ),
    "normalized": lambda: slices().map(
        lambda x, y: (keras.layers.Normalization(mean=0, variance=1)(x), y)
    ),
    "looked up": lambda: tf.data.Dataset.from_tensor_slices(["a", "b"]).map(
        keras.layers.StringLookup(vocabulary=["b", "a"])
    ),
    "cut": lambda: slices(1).skip(1).take(8).repeat(2).shard(2, 0),
    "zipped": lambda: tf.data.Dataset.zip(slices(), slices()),
    "a series": lambda: keras.utils.timeseries_dataset_from_array(
        X, X[:, 0], sequence_length=3
    ),
    # Nobody can say which they are.
    "shuffled": lambda: slices().shuffle(10),
    "drawn": drawing,
    # Each pass is the same.
    "shuffled once": lambda: slices().shuffle(
        10, seed=1, reshuffle_each_iteration=False
    ),
    "drawn by a key": lambda: slices().map(
        lambda x, y: (x + tf.random.stateless_uniform([], (1, 2)), y)
    ),
}
APART = {
    "shuffled by a seed": (lambda: slices().shuffle(10, seed=1), "seed"),
    "drawn by a seed": (lambda: drawing(seed=1), "RandomUniform"),
    "a variable": (lambda: slices().map(counted), "AssignAdd"),
    "Python": (
        lambda: slices().map(
            lambda x, y: (tf.numpy_function(np.square, [x], tf.float32), y)
        ),
        "PyFunc",
    ),
    "a generator": (
        lambda: tf.data.Dataset.from_generator(
            lambda: iter([X]), output_signature=tf.TensorSpec((12, 2))
        ).apply(tf.data.experimental.assert_cardinality(1)),
        "GeneratorDataset",
    ),
    "drawn by layers": (
        lambda: slices().map(lambda x, y: (NOISE(x, training=True), y)),
        "VariableOp",
    ),
    "drawn inside": (
        lambda: slices().map(
            tf.function(lambda x, y: (x + tf.random.uniform([], seed=2), y))
        ),
        "StatefulPartitionedCall",
    ),
    "scanned": (lambda: slices().scan(0, lambda s, x: (s + 1, x)), "Scan"),
    "without end": (lambda: slices().repeat(), "unknown length"),
    "filtered": (lambda: slices().filter(lambda x, y: True), "unknown"),
}


@pytest.fixture
def unseeded():
    state = tensorflow_private.random_state()
    tensorflow_private.set_random_state((None, None))
    yield
    tensorflow_private.set_random_state(state)


@pytest.mark.usefixtures("unseeded")
@pytest.mark.parametrize("name", SHARED)
def test_a_dataset_of_tensorflow_that_all_read(name):
    data = SHARED[name]()
    assert SharedPasses().shared(data, "x") is data


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", APART)
def test_a_dataset_of_tensorflow_that_each_trial_reads_by_itself(name):
    make, why = APART[name]
    with pytest.raises(CannotVectorize, match=f"`x` is a dataset.*{why}"):
        SharedPasses().shared(make(), "x")


def test_a_seed_of_all_counts_as_one():
    keras.utils.set_random_seed(1)
    data = slices().shuffle(10)
    with pytest.raises(CannotVectorize, match="seed"):
        SharedPasses().shared(data, "x")


def test_other_data_are_refused():
    with pytest.raises(
        CannotVectorize, match="neither an array .* list_iterator"
    ):
        SharedPasses().shared(iter([X]), "x")
