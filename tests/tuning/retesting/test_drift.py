"""Drift: are planted ones found, and samples of one kind left alone?"""

import numpy as np
import pytest

from tfcourse.tuning.retesting.drift import drift, holm


def sample(rng, m=400, shift=0.0, share=0.5, gaps=0.05):
    values = rng.normal(size=m)
    values[rng.uniform(size=m) < gaps] = np.nan
    colours = rng.choice(
        ["red", "green", "blue"], m, p=[share, 0.9 - share, 0.1]
    )
    columns = {f"x{n}": rng.normal(size=m) for n in range(10)}
    return {
        **columns,
        "age": rng.normal(size=m) + shift,
        "colour": colours.astype(object),
        "sick": rng.uniform(size=m) < 0.3,
        "income": values,
    }


def drifted(before, after):
    return {one.feature for one in drift(before, after) if one.has_drifted}


def test_planted_drifts_are_found_and_no_others():
    rng = np.random.default_rng(0)
    found = drifted(
        sample(rng), sample(rng, m=300, shift=0.5, share=0.7, gaps=0.3)
    )
    assert found == {"age", "colour", "income"}


def test_without_a_drift_hardly_ever_one_is_found():
    rng = np.random.default_rng(1)
    found = sum(bool(drifted(sample(rng), sample(rng))) for _ in range(60))
    # 5 % of 60 are three; more than seven comes by chance once in a hundred.
    assert found <= 7


def test_sizes_are_those_of_the_statistics():
    a, b = np.arange(0.0, 100), np.arange(50.0, 150)
    (found,) = drift({"x": a}, {"x": b})
    # Half of either lies where the other has nothing.
    assert found.size == pytest.approx(0.5)
    (found,) = drift({"x": np.repeat("a", 9)}, {"x": np.repeat("b", 9)})
    # Too few of each to say anything.
    assert (found.size, found.p) == (0.0, 1.0)
    (found,) = drift({"x": np.repeat("a", 50)}, {"x": np.repeat("b", 50)})
    assert found.size == pytest.approx(1.0)


def test_holms_correction_is_that_of_his_paper():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )


def test_what_only_one_sample_has_is_left_out():
    one = np.arange(20.0)
    assert [d.feature for d in drift({"a": one, "b": one}, {"b": one})] == ["b"]
