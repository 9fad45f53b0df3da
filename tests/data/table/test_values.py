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


@pytest.mark.parametrize(
    "cell, decimal, value",
    [
        ("1,234", ".", 1234),
        ("-12,345,678.25", ".", -12_345_678.25),
        ("1,234", ",", 1.234),
        ("1.234", ",", 1234),
        ("1.234.567,5", ",", 1_234_567.5),
        ("1 234,5", ",", 1234.5),
        ("1\N{NO-BREAK SPACE}234", ".", 1234),
        ("1\u202f234", ".", 1234),
        ("1'234.5", ".", 1234.5),
        ("0,123", ".", np.nan),
        ("1,23", ".", np.nan),
        ("1,2345", ".", np.nan),
        ("12,34,567", ".", np.nan),
        ("1,234.5.6", ".", np.nan),
        ("1'234", ",", 1234),
    ],
)
def test_marks_between_thousands(cell, decimal, value):
    found = numbers(pa.array([cell, "7"], pa.large_string()), decimal)

    np.testing.assert_array_equal(found.values, [value, 7])
    assert found.bad.tolist() == [bool(np.isnan(value)), False]
