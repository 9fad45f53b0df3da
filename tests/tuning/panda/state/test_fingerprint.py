"""A run goes on with its own model, and with no other."""

import keras
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning.panda import Panda


@pytest.mark.parametrize(
    "build, message",
    [
        (
            lambda: [keras.layers.Dense(5, name="hidden")],
            r"hidden/kernel was \(3, 4\) of float32, and in its place is "
            r".*hidden/kernel, \(3, 5\) of float32",
        ),
        (
            lambda: [keras.layers.Dense(4), keras.layers.Dense(1)],
            "seed_generator_state.* was",
        ),
        (lambda: None, "its optimizer was Adam, and is SGD"),
    ],
)
def test_run_of_another_model_is_refused(tmp_path, runs, build, message):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)
    before = sorted(p.name for p in tmp_path.glob("checkpoints/*"))
    if build():
        other = keras.Sequential([keras.Input((3,)), *build()])
        other.compile("adam", "mse", run_eagerly=True)
    else:
        other = runs.fresh("sgd")

    with pytest.raises(InputError, match=message):
        runs.train(other, Panda(tmp_path), epochs=2)
    assert sorted(p.name for p in tmp_path.glob("checkpoints/*")) == before
    # It is free again for the model that it is of.
    runs.train(runs.fresh(), Panda(tmp_path), epochs=2)


def test_names_that_keras_numbers_do_not_make_another_model(tmp_path, runs):
    def build():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        return model

    runs.train(build(), Panda(tmp_path), epochs=1)
    runs.train(build(), Panda(tmp_path), epochs=2)

    assert [e["epoch"] for e in runs.periods(tmp_path)] == [1, 2]
