"""What would the model of a trial be fitted with?"""

import random

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from tfcourse.tuning.caviar.arguments.fit_arguments import (
    SearchArguments,
    fit_arguments,
)
from tfcourse.tuning.population import CannotVectorize

X, Y = np.ones((6, 2)), np.ones(6)
DATA = tf.data.Dataset.from_tensor_slices((X, Y)).batch(2)


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


def arguments_of(*args, hypermodel=None, **kwargs):
    return fit_arguments(
        hypermodel or keras_tuner.HyperModel(),
        None,
        SearchArguments(args, kwargs),
    )


def test_arguments_are_given_by_name():
    given = arguments_of(X, Y, 3, 5, validation_data=(X, Y))
    assert given["x"] is X
    assert given["y"] is Y
    assert (given["batch_size"], given["epochs"]) == (3, 5)
    assert given["validation_data"] == (X, Y)
    assert given["verbose"] is True
    assert given["early_stopping"] is given["subsets"] is None
    assert "steps_per_epoch" not in given


def test_datasets_are_read_for_all_trials():
    assert arguments_of(DATA, validation_data=DATA)["x"] is DATA
    data = Plain()
    search = SearchArguments((data,), {"validation_data": data})
    one, other = (
        fit_arguments(keras_tuner.HyperModel(), None, search) for _ in range(2)
    )
    assert one["x"] is other["x"] is one["validation_data"]


REFUSED = {
    "on_epoch_begin": ((Counts(),), {}),
    "`validation_data` is a PyDataset": ((X, Y), {"validation_data": Counts()}),
    "unknown length": ((DATA.repeat(),), {}),
    "no array": ((iter([(X, Y)]),), {}),
    "validation_freq": ((X, Y), {"validation_freq": 2}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_trains_alone(why):
    args, kwargs = REFUSED[why]
    with pytest.raises(CannotVectorize, match=why):
        arguments_of(*args, **kwargs)


def test_a_fit_that_draws_trains_alone():
    class Draws(keras_tuner.HyperModel):
        draw = random.random

        def fit(self, hp, model, *args, **kwargs):
            size = 1 + int(2 * type(self).draw())
            return model.fit(*args, batch_size=size, **kwargs)

    for Draws.draw in (random.random, np.random.random):
        with pytest.raises(CannotVectorize, match="draws"):
            arguments_of(X, Y, hypermodel=Draws())
