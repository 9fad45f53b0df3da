"""What of `model.fit` does a population take?"""

import inspect

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from tfcourse.tuning.caviar.fit_arguments import (
    FIT_PARAMETERS,
    fit_arguments,
)
from tfcourse.tuning.population import CannotVectorize

X, Y = np.ones((6, 2)), np.ones(6)


def batches(n=2):
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(n)


class Plain(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[:2], Y[:2]


class Counts(Plain):
    def on_epoch_begin(self):
        pass


class OwnLength(Plain):
    @property
    def num_batches(self):
        return 2


def arguments_of(*args, **kwargs):
    return fit_arguments(keras_tuner.HyperModel(), None, args, kwargs)


def test_each_parameter_of_keras_is_known():
    parameters = inspect.signature(keras.Model.fit).parameters
    assert [*FIT_PARAMETERS] == [*parameters][1:]


TAKEN = {
    "arrays": ((X, Y), {"validation_data": (X, Y, Y), "batch_size": 3}),
    "split and data": (
        (X, Y),
        {"validation_data": (X, Y), "validation_split": 0.5},
    ),
    "class weights": ((X, Y), {"class_weight": {0: 2.0}}),
    "dataset": ((batches(),), {"validation_data": batches()}),
    "PyDataset": ((Plain(),), {}),
    "defaults": (
        (X, Y),
        {"steps_per_epoch": None, "validation_freq": 1, "epochs": 3},
    ),
}
REFUSED = {
    "steps_per_epoch": ((X, Y), {"steps_per_epoch": 2}),
    "validation_steps": ((X, Y), {"validation_steps": 2}),
    "validation_freq": ((X, Y), {"validation_freq": [1]}),
    "shuffle": ((X, Y), {"shuffle": "batch"}),
    "no epochs": ((X, Y), {"epochs": 2, "initial_epoch": 2}),
    "both given": (
        (X, Y),
        {"class_weight": {0: 2.0}, "sample_weight": Y},
    ),
    "validation_split": ((batches(),), {"validation_split": 0.5}),
    "several targets": ((X, [Y, Y]), {"class_weight": {0: 2.0}}),
    "two or three": ((X, Y), {"validation_data": (X,)}),
    "on_epoch_begin": ((Counts(),), {}),
    "num_batches": ((X, Y), {"validation_data": OwnLength()}),
    "unknown length": ((batches().repeat(),), {}),
    "generator": ((iter([(X, Y)]),), {}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_takes(name):
    args, kwargs = TAKEN[name]
    given = arguments_of(*args, **kwargs)
    assert given["x"] is args[0]
    assert given["validation_data"] is kwargs.get("validation_data")


@pytest.mark.parametrize("name", REFUSED)
def test_trains_alone(name):
    args, kwargs = REFUSED[name]
    said = "no array" if name == "generator" else name
    with pytest.raises(CannotVectorize, match=said):
        arguments_of(*args, **kwargs)


def test_trains_alone_if_keras_limits_training():
    keras.config.set_max_epochs(1)
    try:
        with pytest.raises(CannotVectorize, match="limit"):
            arguments_of(X, Y, epochs=3)
    finally:
        keras.config.set_max_epochs(None)
