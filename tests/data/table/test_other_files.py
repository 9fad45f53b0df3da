"""Development and test set from files of their own."""

import numpy as np
import pandas as pd
import pytest

from tfcourse.errors import InputError
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.remarks import remarks
from tfcourse.runs.settings import Settings


@pytest.fixture
def files(tmp_path, rng):
    def frame(m):
        table = pd.DataFrame({"u": rng.normal(size=m).round(4)})
        table["town"] = rng.choice(["x", "y"], m)
        table["y"] = np.arange(m) % 2 + 1
        table["cost"] = rng.normal(size=m)
        return table

    frames = {"train": frame(50), "dev": frame(20), "test": frame(10)}
    for name, table in frames.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path, frames


def settings(folder, target="y", **files):
    paths = {part: str(folder / name) for part, name in files.items()}
    return Settings(data=str(folder / "train.csv"), target=target, **paths)


@pytest.mark.parametrize("target", ["y", "cost"])
def test_sets_are_those_of_the_files(files, target):
    folder, frames = files
    # Other order of columns, other types.
    frames["dev"].iloc[:, ::-1].to_parquet(folder / "dev.parquet")
    given = settings(folder, target, dev="dev.parquet", test="test.csv")

    data = PreparedData.load(given)

    for part, frame in frames.items():
        positions = getattr(data.split, part)
        np.testing.assert_array_equal(data.raw(positions)["u"], frame["u"])
        y = data.dataset.y[positions]
        y = np.array(data.dataset.labels)[y] if target == "y" else y
        np.testing.assert_array_equal(y, frame[target])


@pytest.mark.parametrize("given, drawn", [("dev", "test"), ("test", "dev")])
def test_what_is_not_given_is_drawn(files, given, drawn):
    folder, frames = files

    split = PreparedData.load(settings(folder, **{given: f"{given}.csv"})).split

    assert len(getattr(split, given)) == len(frames[given])
    assert (len(getattr(split, drawn)), len(split.train)) == (10, 40)
    assert max(getattr(split, drawn)) < 50


def test_rows_are_named_in_their_file(files):
    folder, frames = files
    frames["test"].loc[3, "town"] = "Atlantis"
    frames["test"].to_csv(folder / "test.csv", index=False)
    given = settings(folder, dev="dev.csv", test="test.csv")

    said = remarks(PreparedData.load(given))

    assert any("'Atlantis' only outside" in s for s in said)
    assert any("first in line 5 of test.csv" in s for s in said)


@pytest.mark.parametrize(
    "column, value, message",
    [
        (
            "u",
            "wide",
            "line 2 has 'wide' in column 'u', which must be a number",
        ),
        ("y", 7, "has the class '7' in line 2, which no row for training "),
        ("y", None, "line 2 has no value in column 'y'"),
    ],
)
def test_what_does_not_fit_is_refused(files, column, value, message):
    folder, frames = files
    table = frames["test"].astype(object)
    table.loc[0, column] = value
    table.to_csv(folder / "test.csv", index=False)

    with pytest.raises(InputError, match=message):
        PreparedData.load(settings(folder, test="test.csv"))


def test_a_column_and_files_contradict():
    with pytest.raises(InputError, match="--time says .* --dev and --test"):
        Settings(data="a.csv", target="y", time="u", test="b.csv")
