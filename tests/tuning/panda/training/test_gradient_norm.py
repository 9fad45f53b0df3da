"""The norm of the gradient inside a compiled step."""

import keras
import numpy as np
import pytest

from tfcourse.tuning.panda import Panda


def test_gradient_norm_is_that_of_the_last_batch(tmp_path, runs):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1, clipnorm=1e-3), "mse")
    before = model.get_weights()
    panda = Panda(tmp_path, gradient_norm=True)
    runs.train(model, panda, epochs=1, batch_size=22)

    x, y = runs.X.astype("float64"), runs.Y.astype("float64")
    error = x @ before[0] + before[1] - y
    gradient = [2 * x.T @ error / 22, 2 * error.mean()]
    norm = np.sqrt(sum(np.sum(g**2) for g in gradient))
    (entry,) = runs.periods(tmp_path)
    assert entry["gradient_norm"] == pytest.approx(norm, rel=1e-5)
    assert "apply" not in vars(model.optimizer)
