"""Small files that hold a lot are refused before they are unpacked."""

import io
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from tfcourse.data.files import read
from tfcourse.data.npz_files import read_array
from tfcourse.data.table.files.formats import open_table
from tfcourse.data.table.options import TableOptions
from tfcourse.data.table.reader import read_table
from tfcourse.data.unpacked_size import VARIABLE
from tfcourse.errors import InputError
from tfcourse.export.convert import export_file

MB = 1_000_000


@pytest.fixture
def allowed(monkeypatch):
    """Allows a hundredth of a gigabyte."""
    monkeypatch.setenv(VARIABLE, "0.01")


def npz(path, size):
    np.savez_compressed(path, x=np.zeros((size // 4, 1), "float32"))


def parquet(path, size):
    table = pa.table({"a": np.zeros(size // 8), "b": ["w"] * (size // 8)})
    pyarrow.parquet.write_table(table, path, compression="zstd")


def feather(path, size):
    table = pa.table({"a": np.zeros(size // 8)})
    pyarrow.feather.write_feather(table, path, compression="zstd")


def dictionary_feather(path, size):
    words = pa.array(["w" * size, "v"]).dictionary_encode()
    pyarrow.feather.write_feather(
        pa.table({"a": words}), path, compression="zstd"
    )


def xlsx(path, size):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * size)


FILES = {
    "a.npz": (npz, read_array),
    "a.parquet": (parquet, open_table),
    "a.feather": (feather, open_table),
    "dictionary.feather": (dictionary_feather, open_table),
    "a.xlsx": (xlsx, open_table),
    "a.keras": (xlsx, lambda path: export_file(path, path.with_name("m"))),
}


@pytest.mark.parametrize("name", FILES)
def test_what_unpacks_to_more_than_is_allowed_is_refused(
    tmp_path, allowed, name
):
    write, read_it = FILES[name]
    write(tmp_path / name, 20 * MB)
    assert (tmp_path / name).stat().st_size < 2 * MB

    with pytest.raises(InputError, match=r"GB unpacked.*TFCOURSE_MAX_GB"):
        read_it(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["a.npz", "a.parquet", "a.feather", "dictionary.feather"]
)
def test_what_is_allowed_is_read(tmp_path, allowed, name):
    write, read_it = FILES[name]
    write(tmp_path / name, MB)

    found = read_it(tmp_path / name)

    if name != "a.npz":
        rows = found.chunks(10 * MB, pytest.fail)
        assert sum(len(some.places) for some in rows) in (2, MB // 8)


def test_a_large_table_is_read_a_part_at_a_time(tmp_path, allowed):
    rng = np.random.default_rng(0)
    table = pa.table({"a": rng.normal(size=4 * MB)})
    path = tmp_path / "large.parquet"
    pyarrow.parquet.write_table(table, path, row_group_size=MB // 10)

    first = next(iter(open_table(path).chunks(4096, pytest.fail)))

    assert len(first.places) == 4096


def test_a_long_word_that_all_rows_share_is_refused(tmp_path, allowed):
    table = pa.table({"a": ["w" * 1000] * 20_000, "y": ["u", "v"] * 10_000})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")

    with pytest.raises(InputError, match="GB unpacked"):
        read_table(tmp_path / "a.parquet", TableOptions("y"))


def test_an_array_that_its_header_makes_large_is_refused(tmp_path):
    header = io.BytesIO()
    described = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(header, described)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue() + b"\0" * 8)

    with pytest.raises(InputError, match=r"x\.npy is cut off"):
        read_array(tmp_path / "a.npz")


def test_objects_are_never_unpickled(tmp_path):
    class Evil:
        def __reduce__(self):
            return open, (str(tmp_path / "was here"), "w")

    evil = np.array([Evil()], object)
    np.savez(tmp_path / "a.npz", x=evil, y=evil)

    for read_it in (read_array, read):
        with pytest.raises(InputError, match="plain arrays"):
            read_it(tmp_path / "a.npz")
    assert not (tmp_path / "was here").exists()


@pytest.mark.parametrize("value", ["", "much", "0", "-1", "nan"])
def test_the_variable_must_be_a_size(tmp_path, monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    npz(tmp_path / "a.npz", 100)

    with pytest.raises(InputError, match=f"{VARIABLE}='{value}'"):
        read_array(tmp_path / "a.npz")


@pytest.mark.parametrize("kind", ["parquet", "feather"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_long_word_of_many_rows_is_refused(tmp_path, allowed, kind, declared):
    def write(length, rows):
        codes = pa.array(np.arange(rows) % 2, "int32")
        words = pa.DictionaryArray.from_arrays(codes, ["w" * length, "v"])
        words = words if declared else words.dictionary_decode()
        table = pa.table({"a": np.ones(rows), "b": words})
        if kind == "parquet":
            pyarrow.parquet.write_table(table, path, compression="gzip")
        else:
            pyarrow.feather.write_feather(table, path, compression="zstd")

    path = tmp_path / f"t.{kind}"
    write(100_000, 1000)
    with pytest.raises(InputError, match=VARIABLE):
        list(open_table(path).chunks(4096, print))

    write(1000, 1000)
    (rows,) = open_table(path).chunks(4096, print)
    assert rows.cells["b"].to_pylist() == ["w" * 1000, "v"] * 500
