"""Lineages: does a schedule follow the weights, from member to member?"""

import pytest

from tfcourse.tuning.evolution.ancestry import FILE, Ancestry, Generation
from tfcourse.utils.atomic_files import write_json


def rates(*values):
    return [{"rate": value} for value in values]


@pytest.fixture
def ancestry():
    return Ancestry(
        ["00", "01", "02"],
        [
            Generation(0, [0, 1, 2], rates(1, 2, 3)),
            # The first goes on as the last, which keeps what it has.
            Generation(2, [2, 1, 2], rates(30, 2, 3)),
            # The second goes on as the first.
            Generation(4, [0, 0, 2], rates(30, 31, 3)),
        ],
    )


@pytest.mark.parametrize(
    "trial, epochs, root, starts, values",
    [
        ("01", 6, "02", (0, 2, 4), (3, 30, 31)),
        # Before it goes on as another it is itself.
        ("01", 4, "01", (0,), (2,)),
        ("01", 5, "02", (0, 2, 4), (3, 30, 31)),
        ("00", 2, "00", (0,), (1,)),
        ("00", 3, "02", (0, 2), (3, 30)),
        ("02", 6, "02", (0,), (3,)),
    ],
)
def test_a_schedule_follows_the_weights(
    ancestry, trial, epochs, root, starts, values
):
    schedule = ancestry.schedule(trial, epochs)
    assert schedule.trial_id == root
    assert schedule.starts == starts
    assert [v["rate"] for v in schedule.values] == list(values)
    assert schedule.epochs == epochs


def test_it_is_read_as_it_was_written(ancestry, tmp_path):
    ancestry.write(str(tmp_path))
    found = Ancestry.read(str(tmp_path))
    assert found.trials == ancestry.trials
    assert found.generations == ancestry.generations


@pytest.mark.parametrize(
    "trials, generations, message",
    [
        ([1], [(0, [0], [{}])], "trials"),
        ([], [(0, [], [])], "there must be members"),
        (["0"], [], "there must be members"),
        (["0"], [(0, [1], [{}])], "sources must be among 1 members"),
        (["0"], [(0, [0], [{}, {}])], "each of 1 members must have"),
        (["0"], [(0, [0], [{"a": 1}]), (1, [0], [{}])], "must have {'a'}"),
        (["0"], [(0, [0], [{}]), (0, [0], [{}])], "must ascend"),
        (["0"], [(1, [0], [{}])], "must ascend"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, trials, generations, message):
    names = ("epoch", "sources", "values")
    state = {
        "trials": trials,
        "generations": [dict(zip(names, g, strict=True)) for g in generations],
    }
    write_json(tmp_path / FILE, state)
    with pytest.raises(ValueError, match=message):
        Ancestry.read(str(tmp_path))
