"""Marks that several modules of tests use."""

import keras
import pytest

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow's own interface"
)


def slow_but(names, quick):
    """Returns the names as parameters, of which all but a few are slow."""
    names = [*names]
    assert set(quick) <= set(names), "A quick case is not there."
    return [
        name if name in quick else pytest.param(name, marks=pytest.mark.slow)
        for name in names
    ]
