"""Excel's files: sheets, margins."""

import numpy as np
import pandas as pd
import pytest

from tfcourse.data import TableOptions, read_table
from tfcourse.errors import InputError

pytest.importorskip("openpyxl")

TABLE = pd.DataFrame({"u": np.arange(20) ** 2, "y": ["a", "b"] * 10})


def test_an_empty_margin_is_no_column(tmp_path):
    TABLE.to_excel(tmp_path / "t.xlsx", index=False, startrow=3, startcol=2)

    dataset = read_table(tmp_path / "t.xlsx", TableOptions("y"))

    np.testing.assert_array_equal(dataset.x["u"], TABLE["u"])
    assert dataset.notes == ()


def test_which_sheet_is_read_is_said(tmp_path):
    info = pd.DataFrame({"note": ["see the next"]})
    for order in (["data", "info"], ["info", "data"]):
        with pd.ExcelWriter(tmp_path / f"{order[0]}.xlsx") as file:
            for name in order:
                one = info if name == "info" else TABLE
                one.to_excel(file, sheet_name=name, index=False)

    (note,) = read_table(tmp_path / "data.xlsx", TableOptions("y")).notes
    assert note.startswith("Read the first sheet, 'data', of 2;")
    with pytest.raises(InputError, match=r"no column 'y'.* sheet, 'info', of"):
        read_table(tmp_path / "info.xlsx", TableOptions("y"))
