"""What a script is told that asks for something that is gone."""

import pytest

from tfcourse.tf1_runner.advice import advice_for


@pytest.mark.parametrize(
    "module, said, advice",
    [
        ("cv2", "No module named", "pip install opencv-python-headless"),
        ("pyglet", "No module named", "needs a package: pip install pyglet"),
        ("keras.wrappers", "No module named", "use the package `scikeras`"),
        (
            "tf_keras.api._v1.keras.layers",
            "cannot import name 'Merge' from 'tf_keras'",
            "`keras.layers.Merge` is not in today's Keras: use `Add`",
        ),
        (
            "tf_keras.src.utils.io_utils",
            "cannot import name 'HDF5Matrix' from 'tf_keras'",
            "`keras.utils.io_utils.HDF5Matrix` is not in today's Keras: read",
        ),
    ],
)
def test_an_import_that_fails_is_answered(module, said, advice):
    assert advice in advice_for(ImportError(said, name=module))


def test_only_known_packages_are_called_packages():
    error = ImportError("No module named 'tf_utils'", name="tf_utils")

    advice = advice_for(error, "/home/me/course")

    assert "pip" not in advice
    assert "put tf_utils.py into /home/me/course" in advice


def test_a_float_for_a_whole_number_is_answered_and_no_other():
    index = TypeError("'float' object cannot be interpreted as an integer")

    assert "write `//`" in advice_for(index)
    assert advice_for(TypeError("'float' object is not iterable")) is None
