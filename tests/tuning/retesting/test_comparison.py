"""Comparisons: right for a known case, and blind to luck?"""

import numpy as np
import pytest

from tfcourse.tuning.retesting.comparison import compared


def test_interval_is_the_one_of_the_paper():
    # Of mean 0.1 and deviation 0.02, in five folds, one comparison: t is 2.776.
    noise = np.array([-1.5, -0.5, 0, 0.5, 1.5])
    noise *= 0.02 / noise.std(ddof=1)
    old = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
    found = compared(old + 0.1 + noise, old, "max", 1)
    half = 2.776445 * 0.02 * (1 / 5 + 1 / 4) ** 0.5
    assert found.gain == pytest.approx(0.1)
    np.testing.assert_allclose(found.interval, [0.1 - half, 0.1 + half], 1e-6)
    assert found.is_better


def test_lower_is_better_where_the_objective_is_a_loss():
    old, new = [3.0, 4.0, 5.0], [1.0, 2.1, 2.9]
    assert compared(new, old, "min", 1).is_better
    assert not compared(new, old, "max", 1).is_better


def test_of_many_points_that_are_alike_hardly_ever_one_is_better():
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(400):
        # Folds differ more than points do, and points share the old's luck.
        folds = rng.normal(size=10)
        old = folds + rng.normal(size=10)
        every = folds + rng.normal(size=(15, 10))
        found += any(compared(s, old, "max", 15).is_better for s in every)
    # One-sided: 2.5 % at most; Bonferroni alone would allow ten.
    assert found <= 10


def test_one_that_is_much_better_is_found_among_many():
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(100):
        folds = rng.normal(size=10)
        old, new = folds + 0.3 * rng.normal(size=(2, 10))
        found += compared(new + 1.5, old, "max", 15).is_better
    assert found >= 95
