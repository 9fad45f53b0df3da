"""Users' files: read as meant, or refused in one sentence that helps."""

import decimal
import json

import numpy as np
import pandas as pd
import pytest

from tfcourse import data
from tfcourse.data.chunks import TableReader
from tfcourse.errors import InputError

ROWS = "".join(f"{n},{2 * n},{'ab'[n % 2]}\n" for n in range(6))


@pytest.fixture
def csv(tmp_path):
    def write(text, name="flowers.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        "u,v,kind\n" + ROWS,
        b"\xef\xbb\xbfu,v,kind\r\n" + ROWS.replace("\n", "\r\n").encode(),
        "kind,u,v\n"
        + "".join(f"{'ab'[n % 2]},{n},{2 * n}\n" for n in range(6)),
        '"u","v","kind"\n' + ROWS.replace("a", '"a"'),
        "u,v,kind\n" + ROWS.rstrip("\n"),
    ],
    ids=["plain", "mark and Windows", "target first", "quoted", "no last end"],
)
def test_csv_is_read(csv, text):
    dataset = data.read(csv(text), "kind")

    expected = [[n, 2 * n] for n in range(6)]
    np.testing.assert_array_equal(dataset.x, expected)
    assert dataset.x.dtype == np.float32
    assert dataset.labels == ("a", "b")
    assert dataset.y.tolist() == [0, 1, 0, 1, 0, 1]
    assert dataset.feature_names == ("u", "v")
    assert dataset.name == "flowers"


@pytest.mark.parametrize(
    "first, second, labels",
    [
        ("3", "10", (3, 10)),
        ("-1", "1", (-1, 1)),
        ("007", "10", ("007", "10")),
        ("NA", "None", ("NA", "None")),
        ('"x\ny"', "z", ("x\ny", "z")),
        ("1.5", "2", ("1.5", "2")),
        ("1.50", "2.0", ("1.5", "2")),
        ("1.0", "2.0", (1, 2)),
    ],
)
def test_classes_are_kept_as_written(csv, first, second, labels):
    rows = ROWS.replace("a", first).replace("b", second)

    assert data.read(csv("u,v,t\n" + rows), "t").labels == labels


@pytest.mark.parametrize(
    "text, target, message",
    [
        ("u,v,t\n" + ROWS, None, "Say which column .* It has: 'u', 'v', 't'"),
        ("u,v,kind\n" + ROWS, "kinds", "no column 'kinds'. .* 'kind'"),
        ("u,v,t\n7,cat,a\n" + ROWS, "t", "'v' .* has 'cat' in line 2"),
        ("u,v,t\n" + ROWS + "7,,a\n", "t", "'v' .* 1 missing .* in line 8"),
        ("u,v,t\n" + ROWS + "7,?,a\n", "t", "'v' .* 1 missing .* in line 8"),
        ("u,v,t\n" + ROWS + "7,8,\n", "t", "line 8 has no value in column 't'"),
        ("u,v,t\n" + ROWS + "7,8\n", "t", "line 8 has 2 fields, not 3"),
        ("u,v,t\n" + ROWS + "inf,8,a\n", "t", "line 8 has .*'u', .* infinite"),
        ("u,v,t\n" + ROWS + "1e99,8,a\n", "t", "line 8 has .*'u', .* infinite"),
        ("u,v,t\n" + ROWS + "7,8,a,9\n", "t", "line 8 has 4 fields, not 3"),
        ("u,v,t\n" + ROWS.replace("b", "a"), "t", "only one class, 'a'"),
        ("u,v,t\n" + ROWS + "7,8,c\n7,9,c\n8,8,c\n", "t", None),
        ("u,v,t\n" + ROWS * 2 + "7,8,c\n", "t", "'c' .* has 1 of the 13"),
        ("u,t\n1,a\n2,b\n3,c\n", "t", "3 examples of 3 classes.*three of each"),
        ("t\na\nb\n", "t", "no column but the target"),
        ("", "t", "is empty"),
        ("u,v,t\n", "t", "no rows"),
        ("u,t\né,a\n".encode("latin-1"), "t", "Save it as UTF-8, or name"),
    ],
)
def test_bad_csv_is_refused_in_a_sentence(csv, text, target, message):
    path = csv(text)
    if message is None:
        assert len(data.read(path, target)) == 9
        return
    with pytest.raises(InputError, match=message):
        data.read(path, target)


def test_missing_file_and_unknown_kind_are_refused(csv, tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        data.read(tmp_path / "none.csv", "t")
    with pytest.raises(InputError, match=r"must end in \.csv, .*\.npz"):
        data.read(csv("", "flowers.png"), "t")


def test_parquet_is_read(tmp_path):
    path = tmp_path / "flowers.parquet"
    frame = pd.DataFrame(
        {
            "u": [1.5, 2, 3] * 2,
            "v": [True, False, True] * 2,
            "t": list("abaaba"),
        }
    )
    frame.loc[6] = [0.0, True, "b"]
    frame.to_parquet(path)

    dataset = data.read(path, "t")

    assert dataset.x[0].tolist() == [1.5, 1.0]
    assert dataset.labels == ("a", "b")


@pytest.mark.parametrize(
    "column, message",
    [
        (pd.date_range("2020-01-01", periods=6), "must be numbers"),
        (pd.Categorical(list("xyxyxy")), "value is 'x', in row 1"),
        (pd.array([1, None, 3, 4, 5, 6], dtype="Int64"), "missing .* row 2"),
    ],
    ids=["dates", "categories", "nullable"],
)
def test_parquet_that_is_no_numbers_is_refused(tmp_path, column, message):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"u": column, "t": list("ababab")}).to_parquet(path)

    with pytest.raises(InputError, match=message):
        data.read(path, "t")


def test_parquet_index_is_a_column(tmp_path):
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"u": range(6), "v": range(6), "t": list("ababab")})
    frame.set_index(["t", "u"]).to_parquet(path)

    dataset = data.read(path, "t")

    assert sorted(dataset.feature_names) == ["u", "v"]
    assert dataset.labels == ("a", "b")


@pytest.mark.parametrize(
    "labels, expected",
    [
        (pd.to_datetime(["2020-01-02", "2021-03-04"] * 3), "2020-01-02"),
        ([b"one", b"two"] * 3, "one"),
        ([decimal.Decimal("1.50"), decimal.Decimal("2")] * 3, "1.5"),
        ([True, False] * 3, False),
        ([2.5, 1.5] * 3, 1.5),
        (np.array([1, 2**63 + 1] * 3, "uint64"), "1"),
        (np.array([1, 2] * 3, "uint8"), 1),
    ],
)
def test_classes_of_any_type_can_be_written(tmp_path, labels, expected):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"u": range(6), "t": labels}).to_parquet(path)

    first, _ = data.read(path, "t").labels

    assert json.loads(json.dumps(first)) == first
    if isinstance(expected, str):
        assert first.startswith(expected)
    else:
        assert first == expected
        assert type(first) is type(expected)


def test_other_columns_are_carried_as_written(csv):
    path = csv("id,v,u\n00123,1.5,2\nNA,3,4\n")

    (chunk,) = TableReader(path, ["u", "v"])

    assert chunk.others == {"id": ["00123", "NA"]}
    assert chunk.features.tolist() == [[2, 1.5], [4, 3]]
    with pytest.raises(InputError, match="lacks column 'w' .* It has: 'id'"):
        TableReader(path, ["u", "w"])


def test_npz_is_read(tmp_path, rng):
    x = rng.normal(size=(6, 4, 4, 1)).astype("float32")
    np.savez(tmp_path / "images.npz", x=x, y=np.array(list("ababab"))[:, None])

    dataset = data.read(tmp_path / "images.npz")

    np.testing.assert_array_equal(dataset.x, x)
    assert dataset.labels == ("a", "b")
    assert dataset.feature_names is None


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"x": np.ones((6, 2))}, "no array 'y'"),
        ({"x": np.ones((6, 2)), "y": np.ones(5)}, r"x \(6, 2\) and y \(5,\)"),
        ({"x": np.ones(6), "y": np.ones(6)}, r"x \(6,\)"),
        ({"x": np.full((6, 2), "q"), "y": np.arange(6) % 2}, "first value .*q"),
        ({"x": np.full((6, 2), np.nan), "y": np.arange(6) % 2}, r"at \(0, 0\)"),
        ({"x": np.full((6, 2), 1e300), "y": np.arange(6) % 2}, "infinite"),
        ({"x": np.full((6, 2), 1j), "y": np.arange(6) % 2}, "complex"),
        ({"x": np.ones((6, 0)), "y": np.arange(6) % 2}, "is empty"),
        ({"x": np.ones((6, 2)), "y": np.full(6, np.nan)}, "missing class"),
        (
            {"x": np.ones((6, 2)), "y": np.arange(6) + 0.5},
            "amount rather than a class. Then save x and y as .* .parquet file",
        ),
        (
            {"x": np.ones((6, 2)), "y": np.full(6, "NaT", "datetime64[D]")},
            "missing class",
        ),
        ({"x": np.ones((6, 2)), "y": np.array([1, 2] * 3, object)}, "plain"),
    ],
)
def test_bad_npz_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)

    with pytest.raises(InputError, match=message):
        data.read(tmp_path / "a.npz")


def test_no_npz_at_all_is_refused(tmp_path):
    (tmp_path / "a.npz").write_text("hello")

    with pytest.raises(InputError, match="not a zip archive"):
        data.read(tmp_path / "a.npz")
