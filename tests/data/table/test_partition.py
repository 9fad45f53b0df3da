"""Which rows train and which test, as a column says."""

import numpy as np
import pandas as pd
import pytest

from tfcourse import data
from tfcourse.data import TableOptions, read_table
from tfcourse.errors import InputError

M = 100


@pytest.fixture
def frame(rng):
    days = pd.date_range("2024-01-01", periods=M)
    return pd.DataFrame(
        {
            "u": rng.normal(size=M),
            "patient": rng.integers(100, 120, M),
            "when": rng.permutation(days.strftime("%Y-%m-%d")),
            "part": rng.choice(["train", "val", "Test"], M, p=[0.5, 0.3, 0.2]),
            "y": np.arange(M) % 2,
        }
    )


def split(frame, tmp_path, seed=0, **options):
    frame.to_csv(tmp_path / "t.csv", index=False)
    dataset = read_table(tmp_path / "t.csv", TableOptions("y", **options))
    found = data.split(dataset, seed)
    every = np.concatenate([found.train, found.dev, found.test])
    assert sorted(every.tolist()) == list(range(len(dataset)))
    return dataset, found


def test_a_column_names_the_parts(frame, tmp_path):
    dataset, found = split(frame, tmp_path, split="part")

    for part, name in {"train": "train", "dev": "val", "test": "Test"}.items():
        positions = getattr(found, part).tolist()
        assert positions == np.flatnonzero(frame["part"] == name).tolist()
    assert "part" not in dataset.x


def test_groups_stay_together(frame, tmp_path):
    dataset, found = split(frame, tmp_path, group="patient")

    groups = [
        set(frame["patient"][part])
        for part in (found.train, found.dev, found.test)
    ]
    assert not groups[0] & groups[1] | groups[0] & groups[2]
    assert not groups[1] & groups[2]
    # Whole groups, of some five rows.
    assert all(20 <= len(part) <= 30 for part in (found.dev, found.test))
    assert "patient" not in dataset.x
    again = split(frame, tmp_path, group="patient")[1]
    np.testing.assert_array_equal(again.test, found.test)
    other = split(frame, tmp_path, seed=1, group="patient")[1]
    assert set(other.test) != set(found.test)


def test_later_rows_test(frame, tmp_path):
    dataset, found = split(frame, tmp_path, time="when")

    days = frame["when"]
    assert days[found.train].max() < days[found.dev].min()
    assert days[found.dev].max() < days[found.test].min()
    assert (len(found.dev), len(found.test)) == (20, 20)
    assert "when" in dataset.x


def test_rows_left_out_are_in_no_part(frame, tmp_path):
    frame = frame.astype({"patient": "Int64"})
    frame.loc[[3, 5], "patient"] = None
    with pytest.raises(InputError, match="line 5 has no value in column 'pati"):
        split(frame, tmp_path, group="patient")

    dataset, _ = split(frame, tmp_path, group="patient", skip_bad=True)

    assert len(dataset) == M - 2


@pytest.mark.parametrize(
    "column, options, message",
    [
        ({"part": "later"}, {"split": "part"}, "train, dev or test .* 'later'"),
        ({"part": "train"}, {"split": "part"}, "the dev set has no row"),
        ({"part": "a"}, {"group": "part"}, "has 1 groups"),
        ({}, {"time": "part"}, "is text; --time needs dates or numbers"),
        ({}, {"time": "then"}, "no column 'then'"),
        ({"y": list("ab") * 49 + ["c"] * 2}, {"time": "when"}, None),
    ],
)
def test_what_cannot_be_is_refused(frame, tmp_path, column, options, message):
    frame = frame.assign(**column)
    if message is None:
        frame["when"] = sorted(frame["when"])
        frame.loc[97, "y"] = "c"
        message = "no training row has the class 'c'"

    with pytest.raises(InputError, match=message):
        split(frame, tmp_path, **options)


def test_one_way_at_a_time():
    with pytest.raises(InputError, match="--split, --group and --time"):
        TableOptions("y", split="a", time="b")
