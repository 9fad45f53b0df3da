"""Do classes weigh beside a dataset what Keras lets them weigh?"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from marks import slow_but
from side_by_side import assert_same, scores, search

from tfcourse.errors import InputError
from tfcourse.tuning import Caviar

X = np.random.default_rng(0).normal(size=(11, 3)).astype("float32")
CLASSES = np.arange(11) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]


class Batches(keras.utils.PyDataset):
    def __init__(self, y):
        super().__init__()
        self.y = y

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[4 * i : 4 * i + 4], self.y[4 * i : 4 * i + 4]


def tensors(y, *weights):
    return tf.data.Dataset.from_tensor_slices((X, y, *weights)).batch(4)


# The data, and the weights of classes.
CASES = {
    "numbers": (tensors(CLASSES), {0: 0.5, 1: 3.0, 2: 1.5}),
    "a column": (tensors(CLASSES[:, None]), {0: 0.5, 2: 1.5}),
    "floats": (tensors(CLASSES.astype("f")), {1: 3, 2: 2}),
    "one-hot": (tensors(ONE_HOT), {0: 0.5, 2: 1.5}),
    "whole numbers": (tensors(CLASSES), {0: 1, 1: 3, 2: 2}),
    "of Keras": (Batches(CLASSES), {0: 0.5, 1: 3.0}),
    "of Keras, one-hot": (Batches(ONE_HOT), {0: 0.5, 1: 3.0}),
}
REFUSED = {
    "an unknown class": (tensors(CLASSES), {0: 0.5, 1: 3.0}),
    "two weights": (tensors(CLASSES, np.ones(11, "f")), {0: 0.5, 2: 3.0}),
}


def space(loss):
    def build(hp):
        model = keras.Sequential(
            [keras.Input((3,)), layers.Dense(3, activation="softmax")]
        )
        rate = hp.Choice("learning_rate", [0.05, 0.2])
        model.compile(keras.optimizers.SGD(rate), loss, metrics=["accuracy"])
        return model

    return build


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", slow_but(CASES, ["numbers", "of Keras"]))
def test_classes_weigh_beside_a_dataset_what_they_weigh_alone(tmp_path, name):
    data, weights = CASES[name]
    loss = "categorical_crossentropy"
    if "one-hot" not in name:
        loss = f"sparse_{loss}"
    kwargs = {"class_weight": weights}
    tuner = assert_same(tmp_path, lambda: (space(loss), (data,), kwargs))
    assert [g["how"] for g in tuner.groups] == ["vectorised"]
    assert len(set(scores(tuner))) == 2


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", slow_but(REFUSED, ["an unknown class"]))
def test_what_keras_refuses_in_each_trial_fails(tmp_path, name):
    data, weights = REFUSED[name]
    kwargs = {"class_weight": weights}
    build = space("sparse_categorical_crossentropy")
    with pytest.raises(InputError, match="None of the 2 trials"):
        search(Caviar, tmp_path, lambda: (build, (data,), kwargs))
