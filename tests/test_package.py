"""Importing is quick: nothing heavy loads before it is used."""

import importlib.metadata
import subprocess
import sys

import pytest

import tfcourse

HEAVY = ("tensorflow", "keras", "keras_tuner", "optuna", "plotly", "pandas")


def loaded_by(statement):
    """Returns which heavy packages a fresh process has after `statement`."""
    report = f"print([m for m in {HEAVY} if m in sys.modules])"
    code = f"import sys\n{statement}\n{report}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    "module", ["tfcourse", "tfcourse.cli", "tfcourse.data"]
)
def test_import_loads_nothing_heavy(module):
    assert loaded_by(f"import {module}") == "[]"


def test_subpackages_load_on_first_use():
    statement = "import tfcourse; tfcourse.data.load"
    assert loaded_by(statement) == "[]"


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="tfcourse attribute nothing"):
        tfcourse.nothing  # noqa: B018


def test_version_is_that_of_the_installed_package():
    assert importlib.metadata.version("tfcourse") == tfcourse.__version__


def test_public_names_are_there():
    assert all(getattr(tfcourse, name) for name in tfcourse.__all__)
