"""Intervals of shares and of other statistics."""

import numpy as np
import pytest
from scipy.stats import binomtest

from tfcourse.utils.intervals import binomial_interval, bootstrap_interval


@pytest.mark.parametrize("right, m", [(353, 359), (0, 5), (5, 5), (1, 1)])
def test_share_has_the_interval_of_scipy(right, m):
    expected = binomtest(right, m).proportion_ci(method="wilson")

    assert binomial_interval(right, m) == pytest.approx(tuple(expected))


def test_bootstrap_of_a_mean_is_that_of_its_error():
    x = np.random.default_rng(1).normal(3, 2, size=2000)

    low, high = bootstrap_interval(np.mean, x)

    error = x.std() / np.sqrt(len(x))
    # A quantile of a thousand draws varies by some 6 % of it; six of these.
    assert low == pytest.approx(x.mean() - 1.96 * error, abs=0.4 * error)
    assert high == pytest.approx(x.mean() + 1.96 * error, abs=0.4 * error)


def test_bootstrap_draws_rows_of_all_arrays_and_repeats_itself():
    x = np.arange(50.0)

    assert bootstrap_interval(lambda a, b: (a - b).max(), x, x) == (0, 0)
    assert bootstrap_interval(np.mean, x) == bootstrap_interval(np.mean, x)
    assert bootstrap_interval(np.mean, x, seed=1) != bootstrap_interval(
        np.mean, x
    )
