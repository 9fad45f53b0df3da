"""Classes or amounts, and in which spelling."""

import numpy as np
import pandas as pd
import pytest

from tfcourse.data import TableOptions, read_table
from tfcourse.data.table.spelling import spelled
from tfcourse.errors import InputError

RNG = np.random.default_rng(5)
PLAIN = {
    "words": (["a", "b"] * 30, "classification"),
    "booleans": ([True, False] * 30, "classification"),
    "two numbers": ([0.5, 1.5] * 30, "classification"),
    "few whole numbers": ([0, 1, 2] * 20, "classification"),
    "whole, kept as floats": ([0.0, 1.0, 2.0] * 20, "classification"),
    "measured": (RNG.normal(size=60), "regression"),
    "109 whole numbers": (np.arange(109).repeat(2), "regression"),
    "prices": (RNG.integers(10**5, 10**6, 60), "regression"),
    "few rows": ([1.5, 2.5, 3.5, 4.5, 5.5, 6.5], "regression"),
}


def table(tmp_path, y, suffix="csv"):
    y = pd.Series(y)
    frame = pd.DataFrame({"u": RNG.normal(size=len(y)), "y": y})
    path = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("y, task", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_task_is_recognised_where_it_is_plain(tmp_path, y, task, suffix):
    path = table(tmp_path, y, suffix)

    dataset = read_table(path, TableOptions("y"))

    assert dataset.task == task
    said = "'y' is a number: regression." in dataset.notes
    assert said == (task == "regression")
    if task == "regression":
        np.testing.assert_array_equal(dataset.y, np.asarray(y, "float64"))


UNCLEAR = {
    "a rare count": [0, 1, 2] * 20 + [8],
    "grades of halves": [1.0, 1.5, 2.0, 2.5] * 15,
    "many often": list(np.arange(30).repeat(20)),
}


@pytest.mark.parametrize("y", UNCLEAR.values(), ids=UNCLEAR)
def test_the_task_is_asked_for_where_it_is_not(tmp_path, y):
    path = table(tmp_path, y)

    with pytest.raises(InputError, match="--task classification or --task reg"):
        read_table(path, TableOptions("y"))
    amounts = read_table(path, TableOptions("y", "regression"))
    assert amounts.y.tolist() == y
    assert amounts.labels == ()


@pytest.mark.parametrize(
    "y, message",
    [
        (["1", "2", "x"] * 9, "'x' in line 4, which is not a finite number"),
        (["1", "2", "inf"] * 9, "'inf' in line 4, which is not a finite"),
        ([2.5] * 9, "'y' .* is 2.5 in every row"),
        ([1.5, None] * 9, "line 3 has no value in column 'y'"),
    ],
)
def test_amounts_that_are_none(tmp_path, y, message):
    with pytest.raises(InputError, match=message):
        read_table(table(tmp_path, y), TableOptions("y", "regression"))


def test_a_word_among_amounts_makes_no_class_of_each(tmp_path):
    path = table(tmp_path, [*(i + 0.5 for i in range(30)), "low"])

    with pytest.raises(
        InputError, match="mostly numbers, but has 'low' in lin"
    ):
        read_table(path, TableOptions("y"))


def test_dates_are_classes_of_too_few_examples(tmp_path):
    days = pd.date_range("2024-01-01", periods=30).astype(str).tolist()

    with pytest.raises(InputError, match="30 classes.* `--task regression`"):
        read_table(table(tmp_path, days), TableOptions("y"))


def test_one_class_has_one_spelling(tmp_path):
    floats = table(tmp_path, [1.0, 2.0] * 9, "parquet")
    text = table(tmp_path, ["1", "2"] * 9)
    expected = (1, 2)

    assert read_table(floats, TableOptions("y")).labels == expected
    assert read_table(text, TableOptions("y")).labels == expected


def test_two_spellings_of_a_number_are_refused(tmp_path):
    path = table(tmp_path, ["v1", "1.1", "1.10"] * 9)

    with pytest.raises(InputError, match="two ways, '1.1' and '1.10'"):
        read_table(path, TableOptions("y", "classification"))


@pytest.mark.parametrize(
    "value, text",
    [
        (np.float64(3), "3"),
        (np.float32(0.5), "0.5"),
        (-0.0, "0"),
        ("-0.50", "-0.5"),
        (10**18, str(10**18)),
        ("123456789012345678", "123456789012345678"),
        ("+7", "+7"),
        ("1e3", "1e3"),
        (np.bool_(True), "True"),
        (b"one", "one"),
        (" a ", "a"),
    ],
)
def test_spelling(value, text):
    assert spelled(value) == text
