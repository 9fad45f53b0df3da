"""Is a strategy of TensorFlow's for one device that of `fit`?"""

import pytest
import tensorflow as tf
from keras import layers
from marks import on_tensorflow
from side_by_side import assert_same, compiled, examples

pytestmark = [on_tensorflow, pytest.mark.slow]


def build(hp):
    return compiled(hp, layers.Dense(4, "tanh"), layers.Dense(1))


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
