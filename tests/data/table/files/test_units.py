"""Prices, percentages, degrees."""

import numpy as np
import pandas as pd
import pytest

from tfcourse.data import TableOptions, read_table
from tfcourse.data.chunks import TableReader
from tfcourse.data.table.columns import Column
from tfcourse.data.table.files.units import unit_of
from tfcourse.errors import InputError


@pytest.mark.parametrize(
    "words, unit",
    [
        (["$1.50", "$ 2", "-$3", "$-4"], "$"),
        (["1,50 €", "2€", "?"], "€"),
        (["USD 5", "USD 7.5"], "USD"),
        (["5%", "7.5 %"], "%"),
        (["20 °C", "-3°C"], "°C"),
        (["5", "7%", "9"], None),
        (["Q1", "Q2"], None),
        (["A12", "B7"], None),
        (["3 kg", "4 kg"], None),
        (["5%-7%"], None),
        (["1", "2"], None),
        ([], None),
    ],
)
def test_what_at_least_half_have_is_their_unit(words, unit):
    assert unit_of(words) == unit


def write(tmp_path, cells):
    path = tmp_path / "t.csv"
    y = ["a", "b"] * (len(cells) // 2)
    pd.DataFrame({"v": cells, "y": y}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("pattern", ["${}", "{} €", "{}%", "CHF {}", "{} °C"])
def test_the_numbers_are_read(tmp_path, pattern):
    numbers = np.arange(-10.5, 9.5)
    cells = [pattern.format(value) for value in numbers.tolist()]
    cells[3] = ""
    path = write(tmp_path, cells)

    dataset = read_table(path, TableOptions("y"))

    numbers[3] = np.nan
    np.testing.assert_array_equal(dataset.x["v"], numbers)
    (column,) = dataset.columns
    assert Column.from_json(column.to_json()) == column
    assert f"'v' is numbers with {column.unit!r}." in dataset.notes
    (chunk,) = TableReader(path, [column])
    np.testing.assert_array_equal(chunk.features["v"], numbers)


def test_thousands_of_a_currency(tmp_path):
    cells = [f"-${1000 * i:,}.50" for i in range(20)]

    dataset = read_table(write(tmp_path, cells), TableOptions("y"))

    expected = [-1000.0 * i - 0.5 for i in range(20)]
    assert dataset.x["v"].tolist() == expected


def test_a_number_without_its_unit_is_refused_by_all(tmp_path):
    path = write(tmp_path, [*(f"{i}%" for i in range(19)), "0.19"])

    with pytest.raises(
        InputError, match=r"mostly numbers with '%', but .*'0.19"
    ):
        read_table(path, TableOptions("y"))
    with pytest.raises(InputError, match=r"'0.19' .*must be a number with '%'"):
        list(TableReader(path, [Column("v", unit="%")]))
    with pytest.raises(
        InputError, match=r"line 2 has '0%' in column 'v', which"
    ):
        list(TableReader(path, [Column("v")]))


def test_names_stay_names_if_asked(tmp_path):
    path = write(tmp_path, ["5%", "10%"] * 10)

    options = TableOptions("y", category=("v",))
    assert set(read_table(path, options).x["v"]) == {"5%", "10%"}
