"""Marks that several modules of tests use."""

import keras
import pytest

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow's own interface"
)
