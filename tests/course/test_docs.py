"""The documents: does every test exist that a claim is said to be proved by?"""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "course-to-keras.md").read_text(encoding="utf-8")
ROWS = [row for row in TABLE.splitlines() if row.startswith("| ")][2:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_every_row_names_tests_that_exist(row):
    proof = row.rstrip(" |").split(" | ")[-1]
    named = re.findall(r"`(tests/[\w/]+\.py)?::(\w+)`", proof)
    assert named

    file = None
    for path, name in named:
        file = path or file
        source = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {name}(" in source, f"{file} has no {name}"
