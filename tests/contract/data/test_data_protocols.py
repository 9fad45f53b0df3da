"""Are datasets gone through as `fit` goes through them?"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from marks import slow_but
from side_by_side import assert_same, compiled, examples

from tfcourse.errors import InputError
from tfcourse.tuning import Caviar

X, Y = examples(10)
V = examples(7, seed=1)


def regression(hp):
    return compiled(hp, layers.Dense(1), metrics=["mae"])


class Batches(keras.utils.PyDataset):
    def __init__(self, size=4, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def __len__(self):
        return -(-len(X) // self.size)

    def __getitem__(self, i):
        rows = slice(i * self.size, (i + 1) * self.size)
        return X[rows], Y[rows]


class BeginsEpochs(Batches):
    epoch = -1

    def on_epoch_begin(self):
        self.epoch += 1

    def __getitem__(self, i):
        x, y = super().__getitem__(i)
        return x, y + self.epoch


class EndsEpochs(BeginsEpochs):
    epoch = 0

    def on_epoch_begin(self):
        pass

    def on_epoch_end(self):
        self.epoch += 1


class Shuffles(Batches):
    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)
        self.order = np.arange(10)

    def __getitem__(self, i):
        rows = self.order[i * self.size : (i + 1) * self.size]
        return X[rows], Y[rows]

    def on_epoch_end(self):
        self.rng.shuffle(self.order)


class Shrinks(EndsEpochs):
    def __len__(self):
        return max(1, 3 - self.epoch)


class OwnLength(Batches):
    @property
    def num_batches(self):
        return 2


class NeverEnds(Batches):
    @property
    def num_batches(self):
        return None

    def __getitem__(self, i):
        return super().__getitem__(i % 3)


class WithWeights(Batches):
    def __getitem__(self, i):
        x, y = super().__getitem__(i)
        return x, y, np.abs(y[:, 0]) + 0.1


SHARED = {"plain", "own length", "weights", "workers", "one example"}
DATASETS = {
    "plain": Batches,
    "begins epochs": BeginsEpochs,
    "ends epochs": EndsEpochs,
    "shuffles": Shuffles,
    "shrinks": Shrinks,
    "own length": OwnLength,
    "weights": WithWeights,
    "workers": lambda: Batches(workers=2),
    "one example": lambda: Batches(1),
}


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("name", slow_but(DATASETS, ["plain", "ends epochs"]))
def test_a_dataset_of_keras(tmp_path, name):
    make = DATASETS[name]
    tuner = assert_same(
        tmp_path, lambda: (regression, (make(),), {"epochs": 4})
    )
    (group,) = tuner.groups
    assert (group["how"] != "alone") == (name in SHARED)


def test_a_dataset_is_read_once_an_epoch_for_all_trials(tmp_path):
    reads = []

    class Tells(Batches):
        def __getitem__(self, i):
            reads.append(i)
            return super().__getitem__(i)

    tuner = Caviar(regression, "loss", 2, directory=tmp_path)
    tuner.search(Tells(), epochs=3, verbose=0, shuffle=False)
    assert [group["how"] for group in tuner.groups] == ["vectorised"]
    # A copy is read on trial, each batch twice; then two for their shapes.
    on_trial, specifies, epochs = reads[:6], reads[6:8], reads[8:]
    assert sorted(on_trial) == [0, 0, 1, 1, 2, 2]
    assert specifies == [0, 1]
    assert epochs == [0, 1, 2] * 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "begins epochs", "weights"])
def test_a_dataset_of_keras_to_validate_on(tmp_path, name):
    def case():
        kwargs = {"validation_data": DATASETS[name](), "epochs": 3}
        return regression, (X, Y), kwargs

    assert_same(tmp_path, case)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [2, 5])
def test_a_dataset_of_keras_without_end(tmp_path, steps):
    kwargs = {"steps_per_epoch": steps, "epochs": 3}
    assert_same(tmp_path, lambda: (regression, (NeverEnds(),), kwargs))


def tensors(n=4):
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(n)


def unequal():
    def batches():
        for rows in ([0, 1, 2], [3], [4, 5], [6, 7, 8, 9]):
            yield X[rows], Y[rows]

    shapes = tf.TensorSpec((None, 3)), tf.TensorSpec((None, 1))
    return tf.data.Dataset.from_generator(batches, output_signature=shapes)


def counting():
    """Gives other targets at each pass."""
    passes = iter(range(100))

    def batches():
        shift = next(passes)
        yield X, Y + shift

    shapes = tf.TensorSpec((None, 3)), tf.TensorSpec((None, 1))
    return tf.data.Dataset.from_generator(batches, output_signature=shapes)


TENSORS = {
    "equal": (lambda: tensors(5), {}),
    "a smaller last": (tensors, {}),
    "remainder dropped": (
        lambda: tf.data.Dataset.from_tensor_slices((X, Y)).batch(4, True),
        {},
    ),
    "unequal": (unequal, {"epochs": 3}),
    "unequal, known": (
        lambda: unequal().apply(tf.data.experimental.assert_cardinality(4)),
        {},
    ),
    "filtered": (lambda: tensors(1).filter(lambda x, y: x[0, 0] > 0), {}),
    "without end": (lambda: tensors().repeat(), {"steps_per_epoch": 4}),
    "steps": (lambda: tensors(2), {"steps_per_epoch": 2}),
    "class weights": (
        lambda: tf.data.Dataset.from_tensor_slices(
            (X, (Y > 0).astype("int32"))
        ).batch(4),
        {"class_weight": {0: 1.0, 1: 3.0}},
    ),
    "weights": (
        lambda: tf.data.Dataset.from_tensor_slices((X, Y, abs(Y[:, 0]))).batch(
            4
        ),
        {},
    ),
    # Keras has no use for it.
    "batched by both": (tensors, {"batch_size": 3}),
    "validates": (tensors, {"validation_data": tensors(3)}),
    "validation steps": (
        tensors,
        {"validation_data": tensors(3), "validation_steps": 2},
    ),
    "counting": (counting, {"epochs": 3}),
}


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("name", slow_but(TENSORS, ["a smaller last"]))
def test_a_dataset_of_tensorflow(tmp_path, name):
    make, kwargs = TENSORS[name]
    assert_same(tmp_path, lambda: (regression, (make(),), kwargs))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_generator(tmp_path):
    def case():
        # It is read ahead: where it is when a trial begins, nobody knows.
        def batches():
            while True:
                yield X[:4], Y[:4]

        return regression, (batches(),), {"steps_per_epoch": 2, "epochs": 3}

    assert_same(tmp_path, case)


@pytest.mark.slow
def test_a_dataset_of_inputs_by_name(tmp_path):
    def build(hp):
        a, b = (keras.Input((3,), name=n) for n in "ab")
        out = layers.Dense(1)(layers.concatenate([a, b]))
        model = keras.Model({"a": a, "b": b}, out)
        rate = hp.Choice("learning_rate", [0.05, 0.2])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    # In another order than the model's.
    inputs = {"b": 2 * X, "a": X}
    data = tf.data.Dataset.from_tensor_slices((inputs, Y)).batch(4)
    assert_same(tmp_path / "dataset", lambda: (build, (data,), {}))
    assert_same(tmp_path / "arrays", lambda: (build, (inputs, Y), {}))


REFUSED = {
    "never ends": (lambda: tensors().repeat(), {}),
    "never ends, of Keras": (NeverEnds, {}),
    "never ends, to validate": (
        tensors,
        {"validation_data": tensors().repeat()},
    ),
    "y beside it": (tensors, {"y": Y}),
    "split": (tensors, {"validation_split": 0.3}),
    "weights beside it": (Batches, {"sample_weight": np.ones(10)}),
    "empty": (lambda: tensors().take(0), {}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_fit_cannot_go_through_is_refused_first(tmp_path, name):
    make, kwargs = REFUSED[name]
    tuner = Caviar(regression, "loss", 2, directory=tmp_path)
    with pytest.raises(InputError) as raised:
        tuner.search(make(), epochs=2, verbose=0, **kwargs)
    assert "\n" not in str(raised.value)
    assert not tuner.oracle.trials


@pytest.mark.slow
def test_strings_for_a_model_that_takes_strings(tmp_path):
    words = np.array(["a b", "b", "c a a", "b c"] * 3, object)
    numbers = keras.layers.TextVectorization(
        max_tokens=8, output_sequence_length=3
    )
    numbers.adapt(words.astype(str))

    def build(hp):
        model = keras.Sequential(
            [
                keras.Input((), dtype="string"),
                numbers,
                keras.layers.Embedding(8, 2),
                keras.layers.Flatten(),
                keras.layers.Dense(1),
            ]
        )
        rate = hp.Choice("rate", [0.05, 0.2])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    y = np.arange(12.0).reshape(12, 1) / 12
    assert_same(tmp_path, lambda: (build, (words, y), {}))
