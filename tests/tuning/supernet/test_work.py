"""The multiplications of networks, against their sizes."""

import keras
import pytest
from keras import layers

from tfcourse.tuning.population import build_deferred
from tfcourse.tuning.supernet import Work, recurrent_steps


def models(make, *settings):
    def deferred(*some):
        def build():
            model = make(*some)
            model.compile("sgd", "mse")
            return model

        return build_deferred(build)

    return [deferred(*some) for some in settings]


def chain(shape, *hidden):
    return keras.Sequential([keras.Input(shape), *hidden, layers.Dense(1)])


def dense(*widths):
    return chain((5,), *[layers.Dense(width, "relu") for width in widths])


def test_dense_layers_multiply_what_they_take_by_what_they_give():
    some = models(dense, (7,), (3,), (9,))
    work = Work(some)
    assert work.alone.tolist() == [7 * 6, 3 * 6, 9 * 6]
    # A supernet is as wide as the widest so far.
    assert work.of_supernets([1, 0, 2]).tolist() == [3 * 6, 7 * 6, 9 * 6]


def test_blocks_that_not_all_have_are_as_wide_as_the_widest():
    work = Work(models(dense, (4,), (4, 6, 3)))
    alone = 4 * 5 + 4 * 6 + 6 * 3 + 3 * 1
    assert work.alone.tolist() == [4 * 6, alone]
    # Its last layer is not, which here takes four.
    assert work.of_supernets([0, 1])[1] == 5 * 6 + 6 * 6 + 6 * 6 + 4
    assert work.of_supernets([1, 0])[0] == alone


@pytest.mark.parametrize(
    "cell, gates", [(layers.SimpleRNN, 1), (layers.GRU, 3), (layers.LSTM, 4)]
)
def test_recurrent_layers_multiply_for_each_gate_and_step(cell, gates):
    def make(units):
        return chain((7, 2), layers.Bidirectional(cell(units)))

    some = models(make, (3,), (4,))
    a, b = (2 * 7 * gates * u * (2 + u) + 2 * u for u in (3, 4))
    assert Work(some).alone.tolist() == [a, b]
    assert recurrent_steps(some[0]) == [7]


def test_convolutions_multiply_at_each_place():
    def make(filters, size):
        inputs = keras.Input((8, 8, 2))
        x = layers.Conv2D(filters, size, padding="same")(inputs)
        x = layers.Conv2D(3, 3, strides=2)(x)
        outputs = layers.Dense(1)(layers.GlobalAveragePooling2D()(x))
        return keras.Model(inputs, outputs)

    work = Work(models(make, (4, 5), (6, 3)))
    a = 64 * 25 * 2 * 4 + 9 * 9 * 4 * 3 + 3
    b = 64 * 9 * 2 * 6 + 9 * 9 * 6 * 3 + 3
    both = 64 * 25 * 2 * 6 + 9 * 9 * 6 * 3 + 3
    assert work.alone.tolist() == [a, b]
    assert work.of_supernets([0, 1]).tolist() == [a, both]


def test_models_of_one_structure_pad_nothing():
    def make(rate):
        return chain((5,), layers.Dropout(rate), layers.Lambda(abs))

    work = Work(models(make, (0.1,), (0.2,)))
    assert work.of_supernets([0, 1]).tolist() == work.alone.tolist() == [0, 0]


def test_layers_that_do_not_say_their_shape_are_not_counted():
    class Root(layers.Layer):
        def call(self, x):
            return x[:, :3]

    def make(units):
        return chain((5,), Root(), layers.Dense(units), layers.Dense(2))

    some = models(make, (3,), (9,))
    assert Work(some).alone.tolist() == [0, 0]
    assert recurrent_steps(some[0]) == []
