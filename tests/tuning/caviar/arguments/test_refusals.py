"""With which arguments of `fit` is a trial trained alone?"""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.caviar.arguments.refusals import FIT, FIT_PARAMETERS, taken

X, Y = np.ones((6, 2)), np.ones(6)
DATA = tf.data.Dataset.from_tensor_slices((X, Y)).batch(2)


def arguments_of(*args, **kwargs):
    bound = FIT.bind(None, *args, **kwargs)
    bound.apply_defaults()
    return dict(list(bound.arguments.items())[1:])


def test_each_parameter_of_keras_is_known():
    parameters = inspect.signature(keras.Model.fit).parameters
    assert [*FIT_PARAMETERS] == [*parameters][1:]


def test_a_parameter_of_a_keras_to_come_is_left_out_or_refused(monkeypatch):
    assert taken(arguments_of(X, Y)).keys() == FIT_PARAMETERS.keys()
    monkeypatch.delitem(FIT_PARAMETERS, "initial_epoch")
    assert taken(arguments_of(X, Y)).keys() == FIT_PARAMETERS.keys()
    with pytest.raises(CannotVectorize, match="initial_epoch"):
        taken(arguments_of(X, Y, initial_epoch=1, epochs=3))


TAKEN = {
    "three arrays": ((X, Y), {"validation_data": (X, Y, Y), "batch_size": 3}),
    "split and data": (
        (X, Y),
        {"validation_data": (X, Y), "validation_split": 0.5},
    ),
    "class weights": ((X, Y), {"class_weight": {0: 2.0}}),
    "dataset": ((DATA,), {"validation_data": DATA}),
    "class weights beside it": ((DATA,), {"class_weight": {0: 2.0}}),
    "steps": (
        (X, Y),
        {"steps_per_epoch": 2, "validation_steps": 1, "validation_freq": [2]},
    ),
}
REFUSED = {
    "steps_per_epoch": ((X, Y), {"steps_per_epoch": 0}),
    "validation_steps": ((X, Y), {"validation_steps": 1.5}),
    "validation_freq": ((X, Y), {"validation_freq": 0}),
    "shuffle": ((X, Y), {"shuffle": "batch"}),
    "no epochs": ((X, Y), {"epochs": 2, "initial_epoch": 2}),
    "both given": ((X, Y), {"class_weight": {0: 2.0}, "sample_weight": Y}),
    "validation_split": ((DATA,), {"validation_split": 0.5}),
    "several targets": ((X, [Y, Y]), {"class_weight": {0: 2.0}}),
    "several": (
        (tf.data.Dataset.from_tensor_slices((X, (Y, Y))).batch(2),),
        {"class_weight": {0: 2.0}},
    ),
    "two or three": ((X, Y), {"validation_data": (X,)}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_takes(name):
    args, kwargs = TAKEN[name]
    given = taken(arguments_of(*args, **kwargs))
    assert given["x"] is args[0]
    for argument, value in kwargs.items():
        assert given[argument] is value


@pytest.mark.parametrize("name", REFUSED)
def test_trains_alone(name):
    args, kwargs = REFUSED[name]
    with pytest.raises(CannotVectorize, match=name):
        taken(arguments_of(*args, **kwargs))


def test_trains_alone_if_keras_limits_training():
    keras.config.set_max_epochs(1)
    try:
        with pytest.raises(CannotVectorize, match="limit"):
            taken(arguments_of(X, Y, epochs=3))
    finally:
        keras.config.set_max_epochs(None)
