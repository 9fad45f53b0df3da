"""Predictions as CSV: what a spreadsheet and our reader make of them."""

import csv
import io

import numpy as np
import pytest
from run_folders import SPACE, draw, make_run

from tfcourse.data.table.files.formats import open_table
from tfcourse.export.csv_predictions import write_predictions
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.settings import Settings
from tfcourse.tuning.results.search_results import read_results
from tfcourse.tuning.results.table import csv_table

EVIL = "=cmd|' /C calc'!A0"
BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")


def computed(text):
    """Returns the cells of CSV that a spreadsheet would compute."""
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    words = [cell for cell in cells if not _is_number(cell)]
    return [cell for cell in words if cell.startswith(BEGINS)]


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.fixture
def written(tmp_path):
    """Returns the path of predictions with formulas in all places."""
    path = tmp_path / "answers.csv"
    chunk = {
        EVIL: [EVIL, "@x", "-5", None],
        "predicted": np.array([EVIL, "-a", "b", "c"]),
        "output": np.array([-1.5, 2, 3, np.inf], "float32"),
    }
    with path.open("w", newline="") as file:
        assert write_predictions([chunk, chunk], file) == 8
    return path


def test_no_cell_of_predictions_is_computed(written):
    text = written.read_text()

    assert computed(text) == []
    assert "'-a,2.0" in text
    assert ",-1.5\n" in text


def test_our_reader_gives_what_was_written(written):
    table = open_table(written)

    (rows,) = table.chunks(100, pytest.fail)

    assert table.columns == [EVIL, "predicted", "output"]
    assert rows.cells[EVIL].to_pylist()[:4] == [EVIL, "@x", "-5", ""]
    assert rows.cells["predicted"].to_pylist()[:3] == [EVIL, "-a", "b"]
    assert rows.cells["output"].to_pylist()[:1] == ["-1.5"]


def test_no_cell_of_a_table_of_trials_is_computed(tmp_path):
    space = [*SPACE, ("Choice", EVIL, {"values": [EVIL, "b"]})]
    rng = np.random.default_rng(0)
    drawn = [{**draw(rng), EVIL: EVIL} for _ in range(4)]
    run = make_run(tmp_path / "run", 4, space=space, drawn=drawn, failed=[1])
    found = read_results(run)

    text = csv_table(found.records, found.axes)

    assert computed(text) == []
    assert text.count("'" + EVIL) == 5


def test_no_cell_of_examples_is_computed(tmp_path):
    table = tmp_path / "t.csv"
    rows = [
        f'"{(EVIL, "b", "c")[n % 3]}",{n * n % 7 - 3},{("@yes", "no")[n % 2]}'
        for n in range(120)
    ]
    table.write_text("\n".join([f'"{EVIL}",@n,=y', *rows]) + "\n")
    settings = Settings(data=str(table), target="=y").resolved()
    data = PreparedData.load(settings)

    text = data.example_table("=y")

    assert computed(text) == []
    again = tmp_path / "examples.csv"
    again.write_text(text)
    names = open_table(again).columns
    assert names == [EVIL, "@n", "=y"]
    (found,) = open_table(again).chunks(100, pytest.fail)
    assert set(found.cells[EVIL].to_pylist()) == {EVIL, "b", "c"}
    assert set(found.cells["=y"].to_pylist()) == {"@yes", "no"}
    assert all(map(_is_number, found.cells["@n"].to_pylist()))
