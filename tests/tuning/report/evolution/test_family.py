"""Family trees: is each member where its line leads, and no line crossed?"""

import itertools

import numpy as np
import pytest

from tfcourse.tuning.evolution.ancestry import Ancestry, Generation
from tfcourse.tuning.evolution.selection import truncated
from tfcourse.tuning.report.evolution.family import Family


def family(size, generations, seed=0):
    rng = np.random.default_rng(seed)
    found = [Generation(0, list(range(size)), [{}] * size)]
    for g in range(1, generations):
        sources = truncated(rng.normal(size=size), 0.25, rng).tolist()
        found.append(Generation(2 * g, sources, [{}] * size))
    ancestry = Ancestry([f"{k:02}" for k in range(size)], found)
    return Family(ancestry, 2 * generations)


SMALL = Family(
    Ancestry(
        ["00", "01", "02"],
        [
            Generation(0, [0, 1, 2], [{}] * 3),
            # The first goes on as the last.
            Generation(2, [2, 1, 2], [{}] * 3),
            # The second goes on as the first.
            Generation(4, [0, 0, 2], [{}] * 3),
        ],
    ),
    6,
)


def test_copies_stand_beside_what_they_came_of():
    assert SMALL.places == [[0, 1, 2], [2, 0, 1], [1, 2, 0]]
    assert SMALL.ancestors == [{2}, {0, 2}, {0, 1, 2}]


def test_lines_lead_from_member_to_member():
    lasting, ended = SMALL.lines()
    assert sorted(lasting) == [
        [(0, 2), (2, 1)],
        [(0, 2), (2, 2)],
        [(2, 1), (4, 0)],
        [(2, 2), (4, 1)],
        [(2, 2), (4, 2)],
        [(4, 0), (6, 0)],
        [(4, 1), (6, 1)],
        [(4, 2), (6, 2)],
    ]
    assert sorted(ended) == [
        [(0, 0), (1.0, 0)],
        [(0, 1), (2, 0)],
        [(2, 0), (3.0, 0)],
    ]


@pytest.mark.parametrize(
    "trial, epochs, line",
    [
        ("01", 6, [(0, 2), (2, 2), (4, 2), (6, 2)]),
        ("01", 5, [(0, 2), (2, 2), (4, 2), (5, 2)]),
        # Before it goes on as another it is itself, and ends.
        ("01", 4, [(0, 1), (2, 0), (4, 0)]),
        ("02", 3, [(0, 2), (2, 1), (3, 0.5)]),
    ],
)
def test_the_line_of_a_member_follows_its_weights(trial, epochs, line):
    assert SMALL.line_of(trial, epochs) == line


@pytest.mark.parametrize("seed", range(5))
def test_no_two_lines_cross(seed):
    some = family(32, 40, seed)
    lasting, ended = some.lines()
    by_start = itertools.groupby(
        sorted(lasting + ended), key=lambda line: line[0][0]
    )
    for _, lines in by_start:
        whole = [line for line in lines if line[1][0] % 2 == 0]
        for one, other in itertools.combinations(whole, 2):
            begin = one[0][1] - other[0][1]
            end = one[1][1] - other[1][1]
            assert begin * end >= 0
            assert end
    for places in some.places:
        assert sorted(places) == [*range(32)]
