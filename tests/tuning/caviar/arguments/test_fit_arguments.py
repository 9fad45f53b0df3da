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
from tfcourse.tuning.tuners.cross_validation import CrossValidated

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
    assert given["early_stopping"] is given["subsets"] is None


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
    "neither an array": ((iter([(X, Y)]),), {}),
    "shuffle": ((X, Y), {"shuffle": "batch"}),
    "beside folds": ((X, Y), {"callbacks": [keras.callbacks.CSVLogger("")]}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_trains_alone(why):
    args, kwargs = REFUSED[why]
    space = CrossValidated(keras_tuner.HyperModel(), 2)
    space = space if why == "beside folds" else None
    with pytest.raises(CannotVectorize, match=why):
        arguments_of(*args, hypermodel=space, **kwargs)


def test_callbacks_are_divided():
    stopping = keras.callbacks.EarlyStopping("loss")
    other = keras.callbacks.ReduceLROnPlateau("loss")

    class Own(keras.callbacks.Callback):
        pass

    def divided(*callbacks, early_stopping=None):
        given = fit_arguments(
            keras_tuner.HyperModel(),
            None,
            SearchArguments((X, Y), {"callbacks": callbacks}),
            early_stopping,
        )
        early, late = given["callbacks"]
        assert late == []
        return given["early_stopping"], early

    assert divided() == (None, [])
    assert divided(early_stopping=3) == (3, [])
    assert divided(stopping) == (stopping, [])
    assert divided(early_stopping=stopping) == (stopping, [])
    assert divided(other, stopping) == (stopping, [other])
    # What code of the user's may see, Keras's own does.
    own = Own()
    assert divided(stopping, own) == (None, [stopping, own])
    assert divided(stopping, stopping) == (None, [stopping, stopping])
    stop, rest = divided(other, early_stopping=3)
    assert (stop.patience, stop.monitor, rest) == (3, "loss", [other])


def test_a_fit_that_draws_trains_alone():
    class Draws(keras_tuner.HyperModel):
        draw = random.random

        def fit(self, hp, model, *args, **kwargs):
            size = 1 + int(2 * type(self).draw())
            return model.fit(*args, batch_size=size, **kwargs)

    for Draws.draw in (random.random, np.random.random):
        with pytest.raises(CannotVectorize, match="draws"):
            arguments_of(X, Y, hypermodel=Draws())


def test_callbacks_after_those_of_keras_tuner_come_later():
    first, last = (keras.callbacks.ReduceLROnPlateau() for _ in range(2))

    class Adds(keras_tuner.HyperModel):
        def fit(self, hp, model, *args, callbacks, **kwargs):
            both = [*callbacks, last]
            return model.fit(*args, callbacks=both, **kwargs)

    search = SearchArguments((X, Y), {"callbacks": [first]})
    given = fit_arguments(Adds(), None, search)
    assert given["callbacks"] == ([first], [last])
