"""Is a dataset called as often, and in the order, as by `model.fit`?"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from marks import on_tensorflow
from side_by_side import model_of_one_weight

from tfcourse.tuning import Population

X = np.linspace(-1, 1, 7).astype("float32")[:, None]

pytestmark = on_tensorflow


class Tells(keras.utils.PyDataset):
    """Notes each call; its batches say how often they were read."""

    def __init__(self, name, calls, size=3, shrinks=0):
        super().__init__()
        self.name, self.calls, self.size = name, calls, size
        self.shrinks, self.epoch = shrinks, 0

    @property
    def num_batches(self):
        return max(1, -(-len(X) // self.size) - self.shrinks * self.epoch)

    def __getitem__(self, i):
        self.calls.append((self.name, i))
        rows = slice(i * self.size % 7, i * self.size % 7 + self.size)
        return X[rows], X[rows] + self.epoch + len(self.calls) / 100

    def on_epoch_begin(self):
        self.calls.append((self.name, "begin"))

    def on_epoch_end(self):
        self.calls.append((self.name, "end"))
        self.epoch += 1


def fitted(train, **kwargs):
    """Returns the calls, and the curves, of `Population.fit` and of `fit`."""
    outcomes = []
    for together in (True, False):
        calls = []
        model = model_of_one_weight()
        fit = Population([model]).fit if together else model.fit
        given = {"epochs": 3, "shuffle": False, "verbose": 0}
        given |= {name: make(calls) for name, make in kwargs.items()}
        history = fit(train(calls), **given)
        history = history[0] if together else history
        outcomes.append((calls, history.history))
    return outcomes


def assert_alike(ours, theirs):
    assert ours[0] == theirs[0]
    assert ours[1].keys() == theirs[1].keys()
    for name, values in theirs[1].items():
        np.testing.assert_allclose(ours[1][name], values, rtol=1e-5)


@pytest.mark.parametrize("shrinks", [0, 1], ids=["stays", "shrinks"])
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_dataset_is_called_as_by_fit(shrinks):
    ours, theirs = fitted(lambda calls: Tells("train", calls, shrinks=shrinks))
    assert_alike(ours, theirs)


def test_a_dataset_to_validate_on_is_called_as_by_fit():
    ours, theirs = fitted(
        lambda calls: Tells("train", calls),
        validation_data=lambda calls: Tells("held out", calls, size=2),
    )
    assert_alike(ours, theirs)


def test_a_dataset_of_tensorflow_is_gone_through_once_an_epoch():
    passes = []

    def batches():
        passes.append(0)
        yield X, X + len(passes)

    shapes = tf.TensorSpec((None, 1)), tf.TensorSpec((None, 1))
    data = tf.data.Dataset.from_generator(batches, output_signature=shapes)
    Population([model_of_one_weight()]).fit(data, epochs=3)
    assert len(passes) == 3


def test_batches_are_shuffled_and_what_is_in_them_is_not():
    class Marked(keras.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            # The weights of the examples of batch i are 1, and 2 ** i.
            x = np.ones((2, 1), "float32")
            return x, x * 0, np.array([1, 2.0**i], "float32")

    def curve(seed, shuffle=True):
        model = model_of_one_weight(kernel=1.0)
        fit = Population([model]).fit
        history = fit(Marked(), epochs=3, shuffle=shuffle, seed=seed)
        return history[0].history["loss"]

    # A step divides the weight by what its batch says, so that the curve
    # says in which order they came; the product is the same in any order.
    one, other, third = curve(0), curve(1), curve(0)
    assert one == third != other
    assert curve(0, shuffle=False) == curve(1, shuffle=False) != one


def test_the_order_of_a_dataset_of_tensorflow_is_its_own():
    data = tf.data.Dataset.from_tensor_slices((X[:6], X[:6] ** 2)).batch(2)

    def curve(fit):
        history = fit(data, epochs=3, shuffle=True)
        history = history[0] if isinstance(history, list) else history
        return history.history["loss"]

    expected = model_of_one_weight()
    with pytest.warns(UserWarning, match="shuffle"):
        expected = curve(
            lambda *args, **kwargs: expected.fit(*args, **kwargs, verbose=0)
        )
    actual = curve(Population([model_of_one_weight()]).fit)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)
