"""Whole tables: what each column is, what is left out, what is refused."""

import sys

import numpy as np
import pandas as pd
import pytest

from tfcourse.data import TableOptions, read_table
from tfcourse.data.chunks import TableReader
from tfcourse.data.table.columns import Column
from tfcourse.errors import InputError


def frame(m=60):
    """A table with a column of each kind."""
    rng = np.random.default_rng(3)
    days = pd.date_range("2023-12-25", periods=m, freq="11h")
    table = pd.DataFrame(
        {
            "id": np.arange(1, m + 1),
            "größe": rng.normal(170, 10, m).round(1),
            "城市": rng.choice(["北京", "上海", ""], m),
            "paid": rng.choice([True, False], m),
            "when": days.strftime("%Y-%m-%d %H:%M:%S"),
            "kind": rng.choice(["a", "b"], m),
        }
    )
    table.loc[4, "größe"] = np.nan
    return table


KINDS = {
    "größe": "number",
    "城市": "category",
    "paid": "boolean",
    "when": "date",
}


def write(table, path, form):
    if form == "parquet":
        typed = table.assign(when=pd.to_datetime(table["when"]))
        typed.to_parquet(path)
    elif form == "feather":
        table.to_feather(path)
    else:
        table.to_csv(path, index=False, **form)


FORMS = {
    "plain": ("t.csv", {}),
    "mark": ("t.csv", {"encoding": "utf-8-sig"}),
    "UTF-16": ("t.csv", {"encoding": "utf-16"}),
    "UTF-16 without a mark": ("t.txt", {"encoding": "utf-16-le"}),
    "tab": ("t.tsv", {"sep": "\t"}),
    "semicolon": ("t.csv", {"sep": ";", "decimal": ","}),
    "quoted commas": ("t.csv", {"decimal": ",", "quoting": 1}),
    "parquet": ("t.parquet", "parquet"),
    "feather": ("t.feather", "feather"),
}


@pytest.mark.parametrize("name, form", FORMS.values(), ids=FORMS)
def test_a_table_is_the_same_in_every_form(tmp_path, name, form):
    table = frame()
    write(table, tmp_path / "plain.csv", {})
    write(table, tmp_path / name, form)
    options = TableOptions("kind")

    expected = read_table(tmp_path / "plain.csv", options)
    actual = read_table(tmp_path / name, options)

    assert {c.name: c.kind for c in actual.columns} == KINDS
    for column, values in expected.x.items():
        np.testing.assert_array_equal(actual.x[column], values)
    assert actual.labels == ("a", "b")
    np.testing.assert_array_equal(actual.y, table["kind"] == "b")
    assert "Left out: 'id' counts the rows." in actual.notes


def test_values_are_those_of_pandas(tmp_path):
    table = frame()
    write(table, tmp_path / "t.csv", {})

    x = read_table(tmp_path / "t.csv", TableOptions("kind")).x

    np.testing.assert_array_equal(x["größe"], table["größe"])
    assert x["城市"].tolist() == table["城市"].tolist()
    np.testing.assert_array_equal(x["paid"], table["paid"].astype(float))
    seconds = pd.to_datetime(table["when"]).astype("datetime64[s]")
    np.testing.assert_array_equal(x["when"], seconds.astype("int64"))


def test_neighbouring_large_numbers_stay_apart(tmp_path):
    seconds = 1_700_000_000 + np.arange(0, 128, 2)[::-1]
    table = pd.DataFrame({"s": seconds, "y": ["a", "b"] * 32})
    table.to_csv(tmp_path / "t.csv", index=False)

    dataset = read_table(tmp_path / "t.csv", TableOptions("y"))

    assert len(set(dataset.x["s"].tolist())) == 64


M = 40
COLUMNS = {
    "index of to_csv": ({"": range(M)}, "'' counts the rows"),
    "counting from 1": ({"n": range(1, M + 1)}, "'n' counts the rows"),
    "named an id": (
        {"User ID": np.random.default_rng(0).permutation(M)},
        "'User ID' numbers the rows",
    ),
    "long numbers": (
        {"n": np.arange(M) ** 2 + 10**17},
        "'n' has whole numbers of more than 15 digits",
    ),
    "names": ({"n": [f"n{i}" for i in range(M)]}, "'n' has 40 different"),
    "constant": ({"n": [3] * M}, "'n' is 3 in every row"),
    "constant text": ({"n": ["x"] * M}, "'n' is x in every row"),
    "empty": ({"n": [None] * M}, "'n' has no value"),
}


@pytest.mark.parametrize("columns, note", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_is_of_no_use_is_left_out_with_a_word(
    tmp_path, columns, note, suffix
):
    u = np.random.default_rng(1).normal(size=M)
    table = pd.DataFrame({**columns, "u": u, "y": ["a", "b"] * (M // 2)})
    path = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)

    dataset = read_table(path, TableOptions("y"))

    assert list(dataset.x) == ["u"]
    assert any(note in said for said in dataset.notes)
    (name,) = columns
    if name:
        kept = read_table(path, TableOptions("y", keep=(name,)))
        assert list(kept.x) == [name, "u"]


def rows(cells, column="v"):
    """Returns a CSV of two columns beside a target."""
    lines = [f"{i % 7},{cell},{'ab'[i % 2]}" for i, cell in enumerate(cells)]
    return f"u,{column},y\n" + "\n".join(lines) + "\n"


TEN = [str(i * i) for i in range(10)]
REFUSED = {
    "a word among numbers": (
        rows([*TEN, "cat"]),
        "'v' .* is mostly numbers, but has 'cat' in line 12.*--category 'v'",
    ),
    "both decimal marks": (
        rows(["1.5"] * 9 + ['"2,5"']),
        "'v' .* mostly numbers, but has '2,5' in line 11",
    ),
    "a day that is none": (
        rows([*(f"2024-02-{i:02}" for i in range(1, 10)), "2024-02-30"]),
        "'v' .* is mostly dates, but has '2024-02-30' in line 11",
    ),
    "day or month first": (
        rows([f"{i}/{i + 1}/2024" for i in range(1, 9)]),
        "'v' .* Say which with --dates dmy or --dates mdy",
    ),
    "a year of two digits": (
        rows([f"{i}/13/24" for i in range(1, 9)]),
        "'v' of .* has '1/13/24' in line 2, a year of two digits. Write",
    ),
    "hours without a day": (
        rows([f"{i}:30" for i in range(9)]),
        "'v' of .* has '0:30' in line 2, a time, not a day. .*--drop 'v'",
    ),
    "infinite": (rows([*TEN, "inf"]), "line 12 has 'inf' in .*'v', .*infinite"),
    "too large": (rows([*TEN, "1e39"]), "line 12 has '1e39' in column 'v'"),
    "too many cells": (rows([*TEN, "1,5"]), "line 12 has 4 fields, not 3"),
    "too few cells": (rows(TEN) + "1,a\n", "line 12 has 2 fields, not 3"),
    "a name twice": (rows(TEN, "u"), "has column 'u' more than once"),
    "a name twice, but for a space": (rows(TEN, " u"), "column 'u' more than"),
    "no name": (rows(TEN, ""), "has a column without a name"),
    "no target in a row": (
        rows(TEN).replace("9,81,b", "9,81,").replace("2,81,b", "2,81,"),
        "line 11 has no value in column 'y', the target. .*--skip-bad",
    ),
    "one class": (rows(TEN).replace(",b", ",a"), "only one class"),
    "quote left open": (rows([*TEN, '"x']), "near line"),
    "a title before the header": (
        f"Sales 2024\n\n{rows(TEN)}",
        "only one column, to judge by its first line, 'Sales 2024'.*remove it",
    ),
    "separated by colons": (
        rows(TEN).replace(",", ":"),
        "only one column, to judge by its first line, 'u:v:y'.*--separator",
    ),
}


@pytest.mark.parametrize("text, message", REFUSED.values(), ids=REFUSED)
def test_what_is_not_plain_is_refused_in_a_sentence(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)

    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "t.csv", TableOptions("y"))


@pytest.mark.parametrize(
    "case", ["too many cells", "too few cells", "a name twice", "infinite"]
)
def test_whoever_predicts_reads_the_same(tmp_path, case):
    text, message = REFUSED[case]
    (tmp_path / "t.csv").write_text(text)

    with pytest.raises(InputError, match=message):
        list(TableReader(tmp_path / "t.csv", ["u", "v"]))


SKIPPED = {
    "a word among numbers": "1 row left out: line 12 has 'cat' in column 'v'",
    "a day that is none": "1 row left out: line 11 has '2024-02-30'",
    "infinite": "1 row left out: line 12 has 'inf' in column 'v'",
    "too many cells": "1 left out: line 12 has 4 fields, not 3",
    "too few cells": "1 left out: line 12 has 2 fields, not 3",
    "no target in a row": "1 row left out: line 11 has no value in column 'y'",
}


@pytest.mark.parametrize("case, note", SKIPPED.items())
def test_rows_that_cannot_be_used_are_left_out_if_asked(tmp_path, case, note):
    (tmp_path / "t.csv").write_text(REFUSED[case][0])

    dataset = read_table(tmp_path / "t.csv", TableOptions("y", skip_bad=True))

    assert any(said.startswith(note) for said in dataset.notes)
    left = 9 if case in ("a day that is none", "no target in a row") else 10
    assert len(dataset) == left
    assert len(dataset.places) == len(dataset.x["v"]) == len(dataset.y)


WAYS_OUT = {
    "names": ({"category": ("v",)}, "category", "cat"),
    "left out": ({"drop": ("v",)}, None, None),
    "only": ({"only": ("u",)}, None, None),
    "words": ({"text": ("v",)}, "text", "cat"),
}


@pytest.mark.parametrize("options, kind, last", WAYS_OUT.values(), ids=WAYS_OUT)
def test_the_ways_out_are_ways_out(tmp_path, options, kind, last):
    (tmp_path / "t.csv").write_text(rows([*TEN, "cat"]))

    dataset = read_table(tmp_path / "t.csv", TableOptions("y", **options))

    kinds = {column.name: column.kind for column in dataset.columns}
    assert kinds.get("v") == kind
    assert kind is None or dataset.x["v"][-1] == last


@pytest.mark.parametrize(
    "options, message",
    [
        ({"target": None}, "Say which column .* 'u', 'v', 'y'"),
        ({"target": "Y"}, "no column 'Y'"),
        ({"drop": ("w",)}, "no column 'w'"),
        ({"keep": ("y",)}, "'y' is the target"),
        ({"drop": ("u", "v")}, "no usable column"),
    ],
)
def test_an_option_for_a_column_that_cannot_be(tmp_path, options, message):
    (tmp_path / "t.csv").write_text(rows(TEN))

    with pytest.raises(InputError, match=message):
        read_table(
            tmp_path / "t.csv", TableOptions(**{"target": "y", **options})
        )


@pytest.mark.parametrize(
    "options, message",
    [
        ({"drop": ("a",), "only": ("b",)}, "--drop .* --only"),
        ({"drop": ("a",), "text": ("a",)}, "'a' is left out .* used"),
        ({"task": "regresion"}, "Did you mean 'regression'"),
        ({"dates": "day"}, "--dates"),
    ],
)
def test_options_that_contradict(options, message):
    with pytest.raises(InputError, match=message):
        TableOptions("y", **options)


@pytest.mark.parametrize("text", ["01234", "00501"])
def test_leading_zeros_are_names(tmp_path, text):
    (tmp_path / "t.csv").write_text(rows([*TEN, text]))

    dataset = read_table(tmp_path / "t.csv", TableOptions("y"))

    assert dataset.columns[1].kind == "category"
    assert dataset.x["v"][-1] == text


@pytest.mark.parametrize(
    "cells, kind",
    [
        ([[1, 2]] * 20, "list"),
        ([{"a": 1}] * 20, "struct"),
        (pd.to_timedelta(range(20), unit="s"), "duration"),
        (pd.period_range("2024-01", periods=20, freq="D"), "period"),
    ],
)
def test_cells_of_other_types_are_refused(tmp_path, cells, kind):
    frame = pd.DataFrame({"u": range(20), "v": cells, "y": ["a", "b"] * 10})
    frame.to_parquet(tmp_path / "t.parquet")

    with pytest.raises(
        InputError, match=f"'v' .* of type .*{kind}.*--drop 'v'"
    ):
        read_table(tmp_path / "t.parquet", TableOptions("y"))
    if kind != "duration":
        with pytest.raises(InputError, match="neither class nor amount"):
            read_table(tmp_path / "t.parquet", TableOptions("v"))
        column = [Column("v", "category")]
        with pytest.raises(InputError, match="column 'v', which must be text"):
            list(TableReader(tmp_path / "t.parquet", column))


def test_the_word_that_excel_puts_before_the_header_is_none(tmp_path):
    (tmp_path / "t.csv").write_text("sep=;\n" + rows(TEN).replace(",", ";"))

    dataset = read_table(tmp_path / "t.csv", TableOptions("y"))

    assert dataset.x["v"].tolist() == [float(v) for v in TEN]
    assert dataset.places[0] == "line 3"


def test_a_sheet_is_a_table_like_others(tmp_path):
    pytest.importorskip("openpyxl")
    table = frame()
    typed = table.assign(when=pd.to_datetime(table["when"]))
    typed.to_excel(tmp_path / "t.xlsx", index=False)
    write(table, tmp_path / "t.csv", {})

    sheet = read_table(tmp_path / "t.xlsx", TableOptions("kind"))

    for name, values in read_table(
        tmp_path / "t.csv", TableOptions("kind")
    ).x.items():
        np.testing.assert_array_equal(sheet.x[name], values)


def test_a_sheet_without_its_library_says_what_to_install(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "t.xlsx").touch()

    with pytest.raises(InputError, match="pip install openpyxl"):
        read_table(tmp_path / "t.xlsx", TableOptions("kind"))


def test_the_fingerprint_follows_values_and_kinds(tmp_path):
    def fingerprint(text, **options):
        (tmp_path / "t.csv").write_text(text)
        options = TableOptions("y", **options)
        return read_table(tmp_path / "t.csv", options).fingerprint()

    plain = rows(TEN)
    assert fingerprint(plain) == fingerprint(plain)
    others = [
        fingerprint(plain.replace("81", "82")),
        fingerprint(plain, category=("v",)),
        fingerprint(plain, drop=("v",)),
        fingerprint(plain.replace(",b", ",c")),
    ]
    assert len({fingerprint(plain), *others}) == 5
