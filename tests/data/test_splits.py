"""Splits: the course's sizes, each class's share, the same by seed."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcourse import data
from tfcourse.errors import InputError


@pytest.mark.parametrize(
    "m, sizes",
    [
        (3, (1, 1, 1)),
        (100, (60, 20, 20)),
        (10_000, (6_000, 2_000, 2_000)),
        (99_999, (59_999, 20_000, 20_000)),
        # The lecture's 98/1/1 and 99.5/0.25/0.25.
        (1_000_000, (980_000, 10_000, 10_000)),
        (4_000_000, (3_980_000, 10_000, 10_000)),
    ],
)
def test_sizes_are_the_lectures(m, sizes):
    assert data.split_sizes(m) == sizes == reference.split_sizes(m)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(3, 10**7))
def test_sizes_add_up(m):
    sizes = data.split_sizes(m)
    assert sizes == reference.split_sizes(m)
    assert sum(sizes) == m
    assert min(sizes) > 0


def test_too_few_examples_are_refused():
    with pytest.raises(ValueError, match="at least 3.*m=2"):
        data.split_sizes(2)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.integers(3, 60), min_size=2, max_size=8), st.integers(0, 9))
def test_sets_are_disjoint_and_stratified(counts, seed):
    y = np.repeat(np.arange(len(counts)), counts)

    split = data.split(y, seed)

    positions = np.concatenate([split.train, split.dev, split.test])
    assert sorted(positions) == list(range(len(y)))
    for part in (split.dev, split.test):
        expected = np.array(counts) * len(part) / len(y)
        actual = np.bincount(y[part], minlength=len(counts))
        # The second split is of what the first has rounded.
        np.testing.assert_allclose(actual, expected, atol=2)
    assert set(y[split.train]) == set(range(len(counts)))


def test_seed_decides_the_split():
    y = np.arange(300) % 3
    one, same, other = data.split(y, 0), data.split(y, 0), data.split(y, 1)

    assert (one.train == same.train).all()
    assert (one.train != other.train).any()


def test_class_of_two_examples_is_refused():
    with pytest.raises(InputError, match="Class 1 has 2 examples"):
        data.split([0] * 10 + [1] * 2)


@pytest.mark.parametrize("y", [[], np.zeros((9, 3)), 1], ids=str)
def test_classes_are_one_for_each_example(y):
    with pytest.raises(ValueError, match=r"shape `\(m,\)`.*Received"):
        data.split(y)


def test_seed_is_a_whole_number_from_0_on():
    with pytest.raises(TypeError, match="`seed` .*Received: seed='a'"):
        data.split([0] * 9, seed="a")
    with pytest.raises(ValueError, match="`seed` .*Received: seed=-1"):
        data.split([0] * 9, seed=-1)
