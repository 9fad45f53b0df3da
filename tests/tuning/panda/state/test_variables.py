"""The whole state of a model in training: does all of it come back?"""

import random

import keras
import numpy as np
import pytest

from tfcourse.tuning.panda.state.model import loss_tracker
from tfcourse.tuning.panda.state.random_generators import (
    random_state,
    set_random_state,
)
from tfcourse.tuning.panda.state.variables import (
    assign,
    copies,
    first_not_finite,
    read,
    variables_of,
)


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]),
            keras.layers.Dropout(0.5),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"], run_eagerly=True)
    return model


def test_all_state_comes_back(model, rng):
    x = rng.normal(size=(8, 2)).astype("float32")
    model.fit(x, x, verbose=0)
    variables = variables_of(model, {}, metrics=True)
    kept, kept_random = read(variables), random_state()
    held = copies(variables)

    def draws():
        return (
            keras.random.normal((2,)).numpy().tolist(),
            np.random.normal(),
            random.random(),
            model(x, training=True).numpy().tolist(),
        )

    first = draws()
    model.fit(x, x, epochs=2, verbose=0)
    assert draws() != first
    assign(variables, kept)
    set_random_state(kept_random)

    assert draws() == first
    # What is held does not change with the variables.
    for name, value in read(held).items():
        np.testing.assert_array_equal(value, kept[name])
    groups = {name.split("/")[0] for name in kept}
    assert groups == {"model", "optimizer", "seed", "metric"}


def test_bfloat16_survives_numpys_files(tmp_path):
    variable = keras.Variable([1.5, -2.0], dtype="bfloat16")
    np.savez(tmp_path / "a.npz", **read({"v": variable}))
    variable.assign([0.0, 0.0])
    with np.load(tmp_path / "a.npz") as stored:
        assign({"v": variable}, dict(stored))

    assert np.asarray(variable).astype("float32").tolist() == [1.5, -2.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_first_not_finite_is_named(bad):
    arrays = {
        "model/0": np.ones(3, "float16") * 6e4,
        "model/1": np.array([1, 2]),
        "metric/0": np.array([np.nan]),
        "optimizer/3": np.array([1.0, bad]),
    }

    assert first_not_finite(arrays) == "optimizer/3"
    del arrays["optimizer/3"]
    assert first_not_finite(arrays) is None


def test_loss_tracker_is_the_mean_loss(model):
    assert loss_tracker(model) is model.metrics[0]
