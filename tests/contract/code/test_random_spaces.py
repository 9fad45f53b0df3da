"""Are spaces drawn at random trained as `model.fit` trains them, or by it?

They are those of `benchmarks/exactness.py`, which prints what it compares.
"""

import importlib
import logging
import pathlib
import warnings

import pytest

BENCHMARKS = pathlib.Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def exactness(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    with warnings.catch_warnings():
        # Keras and keras-tuner warn of some spaces, which are as they are.
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        yield importlib.import_module("exactness")
        logging.disable(logging.NOTSET)


def check(exactness, number):
    space, how, why, _, largest, where = exactness.compare(0, number)
    assert largest <= exactness.TOLERANCE, f"{space}: {where}"
    # Alone for a reason that was known before, not for one that a program met.
    assert "failed" not in why, f"{space}: {why}"
    assert "another `" not in why, f"{space}: {why}"
    return how


@pytest.mark.slow
@pytest.mark.parametrize("number", range(200))
def test_a_random_space_is_exact_or_alone(exactness, number):
    assert check(exactness, number)


@pytest.mark.slow
def test_random_spaces_are_mostly_trained_together(exactness):
    hows = [check(exactness, number) for number in range(200, 208)]
    assert sum(how.startswith("vectorised") for how in hows) >= 4
