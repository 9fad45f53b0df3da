"""Dates as people write them."""

import numpy as np
import pandas as pd
import pytest

from tfcourse.data.table.calendar import (
    looks_like_date,
    order_of,
    seconds_of_text,
)


@pytest.mark.parametrize(
    "text, order, iso",
    [
        ("2024-02-29", None, "2024-02-29"),
        ("2024/2/9", None, "2024-02-09"),
        ("2024年2月29日", None, "2024-02-29"),
        ("29.2.2024", "dmy", "2024-02-29"),
        ("2/29/2024", "mdy", "2024-02-29"),
        ("03-04-2021 5:06", "dmy", "2021-04-03T05:06"),
        ("1969-12-31T23:59:59.25", None, "1969-12-31T23:59:59.25"),
        ("2024-01-01 00:30Z", None, "2024-01-01T00:30"),
        ("2024-01-01 00:30+08:00", None, "2023-12-31T16:30"),
        ("1600-03-01", None, "1600-03-01"),
    ],
)
def test_dates_are_those_of_numpy(text, order, iso):
    (seconds,) = seconds_of_text(np.array([text]), order)

    expected = np.datetime64(iso, "us").astype("int64") / 1e6
    assert seconds == expected
    assert looks_like_date(text)


@pytest.mark.parametrize(
    "text",
    ["2023-02-29", "2024-13-01", "31.4.2024", "2024-01-01 24:00", "noon", "7"],
)
def test_what_is_no_date(text):
    assert np.isnan(seconds_of_text(np.array([text]), "dmy")).all()


def test_every_day_of_two_centuries():
    days = pd.date_range("1900-01-01", "2100-01-01")
    texts = np.array(days.strftime("%d/%m/%Y"))

    seconds = seconds_of_text(texts, "dmy")

    expected = days.values.astype("datetime64[s]").astype("int64")
    np.testing.assert_array_equal(seconds, expected)


@pytest.mark.parametrize(
    "texts, order",
    [
        (["2024-01-02"], "ymd"),
        (["1/2/2024", "13/2/2024"], "dmy"),
        (["1/2/2024", "2/13/2024"], "mdy"),
        (["1.2.2024"], "dmy"),
        (["1/2/2024", "3/4/2024"], None),
    ],
)
def test_the_order_is_what_the_dates_allow(texts, order):
    assert order_of(np.array(texts)) == order
