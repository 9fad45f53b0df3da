"""Is all else that a search can reach the same after it, however it ends?"""

import gc
import os
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from marks import slow_but
from side_by_side import compiled, examples, search

from tfcourse.errors import InputError
from tfcourse.tuning import Caviar, SerialTuner


def build_plain(hp):
    return compiled(hp, layers.Dense(4, "relu"), layers.Dense(1))


def outcomes_of(end):
    """Returns a `build` that ends a search so, once `started` is true."""
    calls = {"started": False, "count": 0}

    def build(hp):
        hp.Choice("again", [0, 1])
        calls["count"] += calls["started"]
        if end == "interrupted" and calls["count"] == 3:
            raise KeyboardInterrupt
        if end == "failed" and calls["started"]:
            raise ValueError("no such network")
        return build_plain(hp)

    return build, calls


def run_and_end(folder, end, x, y):
    build, calls = outcomes_of(end)
    tuner = Caviar(build, "loss", 4, directory=folder, seed=1)
    calls["started"] = True
    raises = {"failed": InputError, "interrupted": KeyboardInterrupt}
    if end == "completed":
        tuner.search(x, y, epochs=1, verbose=0)
        return
    with pytest.raises(raises[end]):
        tuner.search(x, y, epochs=1, verbose=0)


ENDS = ["completed", "failed", "interrupted"]


@pytest.fixture
def settings():
    """Settings that are none of the defaults."""
    keras.config.set_epsilon(1e-6)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")


# What Python itself notes in a class that is copied or looked at.
NOTED = {"__slotnames__", "__annotations__"}


def settings_now():
    patched = {*keras.Variable.__mro__, *keras.layers.Layer.__mro__}
    patched |= {keras.Model, keras.Sequential, keras.optimizers.Optimizer}
    return {
        "floatx": keras.config.floatx(),
        "epsilon": keras.config.epsilon(),
        "data format": keras.config.image_data_format(),
        "policy": keras.config.dtype_policy().name,
        "filtering": keras.config.is_traceback_filtering_enabled(),
        "custom objects": dict(keras.saving.get_custom_objects()),
        "eager": tf.config.functions_run_eagerly(),
        "collects": (gc.isenabled(), gc.get_threshold()),
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109
        "NumPy": np.geterr(),
        "classes": {
            cls: {k: v for k, v in vars(cls).items() if k not in NOTED}
            for cls in patched - {object}
        },
    }


@pytest.mark.parametrize("end", ENDS)
def test_settings_are_as_before(tmp_path, settings, end):
    before = settings_now()
    run_and_end(tmp_path, end, *examples())
    after = settings_now()
    for name, value in before.items():
        assert after[name] == value, name


DRAWS = {
    "python": lambda: random.random(),
    "numpy": lambda: np.random.rand(),
    "keras": lambda: float(keras.random.uniform(())),
    "tensorflow": lambda: float(tf.random.uniform(())),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("generator", slow_but(DRAWS, ["keras"]))
def test_generators_go_on_as_if_nothing_had_been(tmp_path, generator, end):
    draw = DRAWS[generator]
    keras.utils.set_random_seed(3)
    draw()
    expected = draw()
    keras.utils.set_random_seed(3)
    draw()
    run_and_end(tmp_path, end, *examples())
    assert draw() == expected


@pytest.mark.parametrize("end", ENDS)
def test_names_of_layers_go_on_as_if_nothing_had_been(tmp_path, end):
    keras.backend.clear_session()
    names = [layers.Dense(1).name for _ in range(3)]
    run_and_end(tmp_path, end, *examples())
    assert layers.Dense(1).name == "dense_3"
    assert len(set(names)) == 3


@pytest.mark.parametrize("end", ENDS)
def test_arrays_and_datasets_are_as_before(tmp_path, end):
    x, y = examples()
    before = x.copy(), y.copy()
    x.flags.writeable = y.flags.writeable = False
    run_and_end(tmp_path, end, x, y)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("tuner_class", [Caviar, SerialTuner])
def test_trials_have_the_dtype_policy_of_the_user(
    tmp_path, settings, tuner_class
):
    policies = []

    def build(hp):
        model = build_plain(hp)
        policies.append(model.layers[0].dtype_policy.name)
        return model

    search(tuner_class, tmp_path, lambda: (build, examples(), {}))
    assert set(policies) == {"mixed_bfloat16"}
