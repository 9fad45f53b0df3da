"""What all tests share: a seed, and quick tests before slow ones."""

import os

# Before TensorFlow is imported: its start-up messages are not about the test.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pytest_make_parametrize_id(val):
    # An object's address would be another one in each worker.
    return type(val).__name__ if " at 0x" in repr(val) else None


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
