"""What all tests share: a seed, and quick tests before slow ones."""

import os
import sys

# Before TensorFlow is imported: its start-up messages are not about the test.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def programs_of_any_size(monkeypatch):
    """Lets Caviar make a program where training alone would be faster.

    Searches of tests are small, and about what comes of programs.
    """
    _let_programs_pay(monkeypatch)


@pytest.fixture(autouse=True, scope="module")
def programs_of_any_size_for_fixtures():
    """Does the same for what a module's tests share."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _let_programs_pay(monkeypatch)
        yield


def _let_programs_pay(monkeypatch):
    module = "tfcourse.tuning.caviar.steps.costs"
    if module in sys.modules:
        monkeypatch.setattr(f"{module}.ALONE", 1e18)
        monkeypatch.setattr(f"{module}.SHARED", 1e18)


def pytest_make_parametrize_id(val):
    # An object's address would be another one in each worker.
    return type(val).__name__ if " at 0x" in repr(val) else None


# What JAX compiles operation by operation, which takes it a minute.
_SLOW_ON_JAX = (
    "test_a_linear_network_grows",
    "test_gradient_check.py",
    "test_ignores_shift_and_scale",
    "test_is_variance_scaling_of_keras",
    "test_lint.py",
    "test_measures_convolutions",
    "test_mixed_precision_resumes",
    "test_population_statistics.py",
    "test_steps_grow_by_a_power",
    "test_variance_follows_the_fan",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    if os.environ.get("KERAS_BACKEND") == "jax":
        for item in items:
            if any(name in item.nodeid for name in _SLOW_ON_JAX):
                item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
