"""Cells as numbers: the quick way says what the careful one does."""

import numpy as np
import pyarrow as pa
import pytest

from tfcourse.data.table.values import numbers

CELLS = [
    *("1", "-2.5", "+3", "1.", ".5", "1e5", "1E-3", "007", "-0"),
    *("0x10", "1_000", "1,5", "１", "1 2", "--1", "1e", "e5", "."),
    *("inf", "-Infinity", "nan", "NA", "", "?", "1e400", "1e39", "true"),
]


@pytest.mark.parametrize("cell", CELLS)
def test_one_cell_is_the_same_alone_and_beside_a_gap(cell):
    alone = numbers(pa.array([cell], pa.large_string()))
    beside = numbers(pa.array([cell, None], pa.large_string()))

    for part in ("values", "missing", "bad", "infinite"):
        np.testing.assert_array_equal(
            getattr(alone, part), getattr(beside, part)[:1]
        )


def test_a_point_is_no_decimal_where_commas_are():
    found = numbers(pa.array(["1.5", "2"], pa.large_string()), ",")

    assert found.bad.tolist() == [True, False]
