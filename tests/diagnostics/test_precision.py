"""What is not computed in float64 is not called wrong for it."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from tfcourse.diagnostics import check_gradient, gradient_check


class Half(layers.Layer):
    """A tanh in its own dtype, or its input's, its gradient off by a share."""

    def __init__(self, dtype, off=0.0):
        super().__init__()
        self._cast, self._off = dtype, off

    def call(self, x):
        z = ops.cast(x, self._cast or x.dtype)
        y = ops.tanh(z) + self._off * ops.stop_gradient(z)
        return ops.cast(y, x.dtype)


def float32_loss(y, predicted):
    y, predicted = ops.cast(y, "float32"), ops.cast(predicted, "float32")
    return ops.mean(ops.square(y - predicted), axis=-1)


def checked(layer, loss="mse", activation="tanh"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(6, activation=activation),
            layer,
            layers.Dense(2),
        ]
    )
    model.compile("sgd", loss)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 5)), rng.normal(size=(16, 2))
    return gradient_check(model, x, y)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(
    "dtype, loss",
    [("float32", "mse"), ("float16", "mse"), (None, float32_loss)],
)
def test_a_right_gradient_is_not_called_wrong(dtype, loss, activation):
    check = checked(Half(dtype), loss, activation)

    assert not check.in_float64
    assert check.verdict != "wrong"
    assert check.epsilon > 1e-4
    assert "not computed in float64" in str(check)


@pytest.mark.parametrize(
    "dtype, loss",
    [("float32", "mse"), ("float16", "mse"), (None, float32_loss)],
)
def test_a_wrong_gradient_still_is(dtype, loss):
    # What float16 makes of a gradient is off by some hundredths.
    check = checked(Half(dtype, off=1.0 if dtype == "float16" else 0.1), loss)

    assert check.verdict == "wrong"
    assert not check.in_float64


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_float64_is_checked_at_its_own_step(activation):
    right = checked(Half(None), activation=activation)
    wrong = checked(Half(None, off=0.1), activation=activation)

    for check, verdict in ((right, "good"), (wrong, "wrong")):
        assert check.verdict == verdict
        assert check.in_float64
        assert check.epsilon == 1e-7
        assert "not computed in float64" not in str(check)


@pytest.mark.parametrize("share, verdicts", [(1, "good look"), (1.1, "wrong")])
def test_a_function_of_float32_is_checked_at_its_step(share, verdicts):
    w = np.random.default_rng(0).normal(size=7)

    check = check_gradient(
        lambda w: float((np.sin(w.astype("float32")) ** 2).sum()),
        lambda w: share * 2 * np.sin(w) * np.cos(w),
        w,
    )

    assert check.verdict in verdicts.split()
    assert not check.in_float64
