"""Tables read a chunk at a time: order kept, bad rows named or left out."""

import numpy as np
import pandas as pd
import pytest

from tfcourse.data.chunks import ArrayReader, TableReader
from tfcourse.errors import InputError


@pytest.fixture
def table(tmp_path):
    def write(text, name="t.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_chunks_keep_the_order_of_the_rows(table, rng):
    x = rng.normal(size=(23, 2)).astype("float32")
    rows = "".join(f"{i},{b!r},{a!r}\n" for i, (a, b) in enumerate(x.tolist()))
    path = table("id,v,u\n" + rows)

    chunks = list(TableReader(path, ["u", "v"], size=5))

    assert [len(chunk.features) for chunk in chunks] == [5, 5, 5, 5, 3]
    np.testing.assert_array_equal(
        np.concatenate([chunk.features for chunk in chunks]), x
    )
    ids = [i for chunk in chunks for i in chunk.others["id"]]
    assert ids == [str(i) for i in range(23)]


def test_parquet_in_chunks(tmp_path, rng):
    frame = pd.DataFrame(rng.normal(size=(7, 2)), columns=["u", "v"])
    frame["id"] = list("abcdefg")
    frame.to_parquet(tmp_path / "t.parquet")

    chunks = list(TableReader(tmp_path / "t.parquet", ["v", "u"], size=3))

    np.testing.assert_array_equal(
        np.concatenate([chunk.features for chunk in chunks]),
        frame[["v", "u"]].to_numpy("float32"),
    )
    ids = [i for chunk in chunks for i in chunk.others["id"]]
    assert ids == list("abcdefg")


BAD = {
    "text": ("1,x,2", "line 3 has 'x' in column 'u', which must be a number"),
    "missing": ("1,,2", "line 3 has no value in column 'u'"),
    "infinite": ("1,inf,2", "line 3 has 'inf' in column 'u'"),
    "beyond float32": ("1,1e39,2", "line 3 has '1e39' in column 'u'"),
    "out of range": ("1,11,2", "which must be from 0 to 10"),
    "too few": ("1,2", "line 3 has 2 fields, not 3"),
    "too many": ("1,2,3,4", "line 3 has 4 fields, not 3"),
}


@pytest.mark.parametrize("row, message", BAD.values(), ids=BAD)
def test_a_bad_row_is_named_or_left_out(table, row, message):
    path = table(f"id,u,v\n0,1,2\n{row}\n\n3,4,5\n")
    told = []
    ranges = {"u": (0, 10)}

    with pytest.raises(InputError, match=f"{message}.* --skip-bad"):
        list(TableReader(path, ["u", "v"], ranges=ranges))
    (chunk,) = TableReader(path, ["u", "v"], ranges=ranges, on_bad=told.append)

    assert chunk.features.tolist() == [[1, 2], [4, 5]]
    assert chunk.others["id"] == ["0", "3"]
    assert len(told) == 1
    assert message in told[0]


def test_a_line_is_counted_as_an_editor_counts_it(table):
    path = table('note,u\n"two\nlines",1\nplain,x\n')

    with pytest.raises(InputError, match="line 4 has 'x'"):
        list(TableReader(path, ["u"]))


@pytest.mark.parametrize(
    "text, names, message",
    [
        ("", ["u"], "is empty"),
        ("u\n", ["u"], "no rows below its header"),
        ("u,v\n1,2\n", ["u", "w", "x"], "lacks columns 'w', 'x' .* It has"),
        ("u,u\n1,2\n", ["u"], "column 'u' more than once"),
        ('u\n"1\n', ["u"], "cannot be read as a csv table, near line 2"),
    ],
)
def test_a_bad_table_is_one_clear_sentence(table, text, names, message):
    with pytest.raises(InputError, match=message):
        list(TableReader(table(text), names))


def test_text_of_another_encoding(tmp_path):
    (tmp_path / "t.csv").write_bytes("u,ß\n1,2\n".encode("latin-1"))
    with pytest.raises(InputError, match="Save it as UTF-8"):
        TableReader(tmp_path / "t.csv", ["u"])


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "t.parquet").write_text("no parquet")
    for name, message in {
        "t.png": "must end in .csv",
        "none.csv": "There is no file",
        "t.parquet": "cannot be read as a parquet table",
    }.items():
        with pytest.raises(InputError, match=message):
            TableReader(tmp_path / name, ["u"])


def test_arrays_in_chunks(tmp_path, rng):
    x = rng.normal(size=(5, 2, 2)).astype("float32")
    np.savez(tmp_path / "x.npz", x=x)

    chunks = [p.features for p in ArrayReader(tmp_path / "x.npz", size=2)]

    assert [len(p) for p in chunks] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(chunks), x)
