"""Is a strategy of TensorFlow's for one device that of `fit`?"""

import keras
import pytest
import tensorflow as tf
from keras import layers
from marks import on_tensorflow
from side_by_side import assert_same, examples

pytestmark = [on_tensorflow, pytest.mark.slow]


def build(hp):
    rate = hp.Choice("learning_rate", [0.05, 0.2])
    activation = hp.Choice("activation", ["tanh", "relu"])
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, activation), layers.Dense(1)]
    )
    # Which has variables of each parameter's shape.
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


@pytest.mark.parametrize(
    "make, how",
    [
        (tf.distribute.OneDeviceStrategy, "vectorised"),
        (lambda device: tf.distribute.MirroredStrategy([device]), "alone"),
    ],
    ids=["one device", "mirrored"],
)
def test_a_strategy(tmp_path, make, how):
    strategy = make(
        "/gpu:0" if tf.config.list_logical_devices("GPU") else "/cpu:0"
    )
    tuner = assert_same(
        tmp_path,
        lambda: (build, examples(20), {"validation_data": examples(7)}),
        distribution_strategy=strategy,
    )
    assert [group["how"] for group in tuner.groups] == [how]
