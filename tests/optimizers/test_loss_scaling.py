"""Settings reach the optimizer through Keras's scaling of the loss."""

import keras
import numpy as np
import pytest

from tfcourse import optimizers, schedules
from tfcourse.hyperparameter import current_value

MAKERS = [getattr(optimizers, name) for name in optimizers.__all__]
CHANGED = {
    **{"beta": 0.5, "beta_1": 0.25, "beta_2": 0.5, "epsilon": 0.125},
    **{"l2": 0.5, "learning_rate": 0.0625},
}
SETTINGS = [(make, n) for make in MAKERS for n in make(0.1).hyperparameters]


def wrapped(optimizer, jit_compile=False):
    """Returns a model of mixed precision, whose optimizer Keras wraps."""
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(2, dtype="mixed_float16")
    model = keras.Sequential([keras.Input((3,)), layer], name="m")
    model.dtype_policy = keras.DTypePolicy("mixed_float16")
    model.compile(optimizer, "mse", jit_compile=jit_compile)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    return model


def step(model):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 3)).astype("float32")
    model.train_on_batch(x, x[:, :2])


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("make, name", SETTINGS)
def test_a_setting_takes_effect(make, name, jit_compile):
    model = wrapped(make(0.01), jit_compile)
    step(model)  # So that the step is compiled.
    setattr(model.optimizer, name, CHANGED[name])
    expected = wrapped(make(0.01), jit_compile)
    step(expected)
    getattr(expected.optimizer.inner_optimizer, name).assign(CHANGED[name])
    other = wrapped(make(0.01), jit_compile)
    step(other)

    for one in (model, expected, other):
        step(one)

    found, wanted, unset = (
        one.get_weights()[0] for one in (model, expected, other)
    )
    np.testing.assert_array_equal(found, wanted)
    assert not np.array_equal(found, unset)
    assert current_value(getattr(model.optimizer, name)) == CHANGED[name]


@pytest.mark.parametrize("make, name", SETTINGS)
def test_a_setting_is_checked(make, name):
    model = wrapped(make(0.1))

    with pytest.raises(ValueError, match=f"`{name}` of {make.__name__}"):
        setattr(model.optimizer, name, -1.0)


def test_all_settings_are_listed_through_it():
    model = wrapped(optimizers.Adam(0.1))

    inner = model.optimizer.inner_optimizer
    assert model.optimizer.hyperparameters == inner.hyperparameters


def test_settings_of_a_schedule_take_effect():
    schedule = schedules.InverseTimeDecay(0.1, 0.5, steps_per_epoch=1)
    model = wrapped(optimizers.Adam(schedule))
    step(model)

    model.optimizer.hyperparameters["decay_rate"].assign(0.0)

    assert float(np.asarray(model.optimizer.learning_rate)) == pytest.approx(
        0.1
    )


def test_a_setting_of_a_subclass_takes_effect():
    class Mine(optimizers.Adam):
        pass

    model = wrapped(Mine(0.1))
    model.optimizer.beta_1 = 0.5

    assert current_value(model.optimizer.inner_optimizer.beta_1) == 0.5


def test_what_is_no_setting_is_as_with_keras():
    model = wrapped(keras.optimizers.SGD(0.1))

    with pytest.raises(AttributeError, match="'beta'"):
        _ = model.optimizer.beta
    model.optimizer.beta = 0.5
    assert model.optimizer.beta == 0.5
    assert not hasattr(model.optimizer.inner_optimizer, "beta")
    assert not hasattr(wrapped(optimizers.Momentum(0.1)).optimizer, "beta_1")
