"""What a summary says of a schedule."""

import pytest

from tfcourse.cli.terminal.tables import schedule_rows
from tfcourse.tuning.evolution.schedule import HyperparameterSchedule


@pytest.mark.parametrize(
    "values, expected",
    [
        ([0.25], "constant; over 1 epoch in 1 part"),
        ([0.25, 0.1], "rate 0.25, then 0.1; over 2 epochs in 2 parts"),
        ([0.25, 0.6, 0.25], "rate 0.25, then 0.6, then 0.25; over 3 epochs"),
        ([0.4, 0.3, 0.2, 0.1], "rate 0.4 to 0.1; over 4 epochs in 4 parts"),
        (
            [0.4, 0.3, 0.6, 0.1],
            "rate 0.4 to 0.1 (from 0.1 to 0.6 between); over 4 epochs",
        ),
    ],
)
def test_it_says_how_each_value_went(values, expected):
    schedule = HyperparameterSchedule(
        "3",
        tuple(range(len(values))),
        tuple({"rate": value} for value in values),
        len(values),
    )
    assert schedule_rows(schedule)["schedule"].startswith(expected)


def test_of_none_it_says_nothing():
    assert schedule_rows(None) == {}
