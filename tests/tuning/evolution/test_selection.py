"""Truncation: do the worst, and no others, go on as the best?"""

import numpy as np
import pytest

from tfcourse.tuning.evolution.selection import truncated


def sources(scores, quantile=0.25, seed=0):
    rng = np.random.default_rng(seed)
    return truncated(np.array(scores, float), quantile, rng).tolist()


@pytest.mark.parametrize("seed", range(20))
def test_the_worst_quarter_goes_on_as_the_best_quarter(seed):
    scores = np.random.default_rng(seed).permutation(8)
    found = sources(scores, seed=seed)
    for k, source in enumerate(found):
        if scores[k] < 2:
            assert scores[source] >= 6
        else:
            assert source == k


def test_each_of_the_best_has_an_equal_chance():
    rng = np.random.default_rng(0)
    scores = np.arange(8.0)
    drawn = [truncated(scores, 0.25, rng)[0] for _ in range(4000)]
    # Six standard deviations of a binomial with n = 4000, p = 0.5.
    assert abs(np.mean(np.equal(drawn, 7)) - 0.5) < 6 * np.sqrt(0.25 / 4000)


@pytest.mark.parametrize(
    "size, quantile, count", [(32, 0.25, 8), (10, 0.25, 3), (5, 0.5, 2)]
)
def test_as_many_are_replaced_as_the_quantile_says(size, quantile, count):
    found = sources(range(size), quantile)
    assert sum(k != s for k, s in enumerate(found)) == count
    assert min(set(found[:count])) >= size - count


def test_all_that_have_diverged_are_replaced():
    found = sources([-np.inf, 1, -np.inf, 2, -np.inf, -np.inf, 0, -np.inf])
    assert [found[k] for k in (1, 3, 6)] == [1, 3, 6]
    assert {found[k] for k in (0, 2, 4, 5, 7)} <= {1, 3}


def test_where_all_have_diverged_nobody_is_replaced():
    assert sources([-np.inf] * 4) == [0, 1, 2, 3]


def test_two_members_are_enough():
    assert sources([1, 2]) == [1, 1]
