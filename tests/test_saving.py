"""A saved model loads after any one import of tfcourse."""

import pathlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

import tfcourse
from tfcourse import initializers, layers, optimizers, regularizers, schedules


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.columns.Standardize([0.0] * 3, [1.0] * 3),
            keras.layers.Dense(
                4,
                use_bias=False,
                kernel_initializer=initializers.He(seed=1),
                kernel_regularizer=regularizers.L2(0.5, 10),
            ),
            layers.BatchNormalization(),
            layers.InvertedDropout(0.8),
            keras.layers.Dense(2),
        ]
    )
    decay = schedules.InverseTimeDecay(0.1, 1.0, steps_per_epoch=2)
    model.compile(optimizers.Momentum(decay), "mse")
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    model.fit(x, x[:, :2], verbose=0)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    return path, x, model.predict(x, verbose=0)


def test_every_registered_class_is_named_by_its_package():
    """What no package names, Keras does not know after one import."""
    root = pathlib.Path(tfcourse.__file__).parent
    for package in (initializers, layers, layers.columns, optimizers):
        home = pathlib.Path(package.__file__)
        home = home.parent if home.name == "__init__.py" else home
        files = home.glob("*.py") if home.is_dir() else [home]
        source = "\n".join(path.read_text("utf-8") for path in files)
        found = re.findall(
            r"register_keras_serializable\(.*\)\nclass (\w+)", source
        )
        assert found or root in home.parents
        for name in found:
            assert hasattr(package, name) or name.startswith("_")


def test_load_model_gives_the_model_back(saved):
    path, x, expected = saved

    model = tfcourse.load_model(path)

    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
    assert type(model.optimizer) is optimizers.Momentum


@pytest.mark.parametrize(
    "module",
    [
        *("averages", "diagnostics", "initializers", "layers"),
        *("optimizers", "regularizers", "schedules"),
    ],
)
@pytest.mark.slow
def test_one_import_registers_all(saved, module):
    path, *_ = saved
    code = (
        f"import tfcourse.{module}, keras\n"
        f"keras.saving.load_model({str(path)!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
