"""Dates as people write them."""

import numpy as np
import pandas as pd
import pytest

from tfcourse.data.table.calendar import (
    looks_like_date,
    order_of,
    seconds_of_text,
    what_is_unclear,
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
        ("29 Feb 2024", None, "2024-02-29"),
        ("9-Sep-2024", None, "2024-09-09"),
        ("1. March 2024 07:05", None, "2024-03-01T07:05"),
        ("February 29, 2024", None, "2024-02-29"),
        ("Sept. 3rd 2024", None, "2024-09-03"),
        ("Thu, 29 Feb 2024 23:30:00 -0100", None, "2024-03-01T00:30"),
        ("Thursday, February 29, 2024, 1:30 PM", None, "2024-02-29T13:30"),
        ("2/29/2024 12:05 AM", "mdy", "2024-02-29T00:05"),
        ("2024-02-29 12:05:06.5 p.m.", None, "2024-02-29T12:05:06.5"),
        ("2024-02-29 01:00 UTC", None, "2024-02-29T01:00"),
    ],
)
def test_dates_are_those_of_numpy(text, order, iso):
    (seconds,) = seconds_of_text(np.array([text]), order)

    expected = np.datetime64(iso, "us").astype("int64") / 1e6
    assert seconds == expected
    assert looks_like_date(text)


@pytest.mark.parametrize(
    "text",
    [
        *("2023-02-29", "2024-13-01", "31.4.2024", "2024-01-01 24:00", "noon"),
        *("7", "30 Feb 2024", "5 Jam 2024", "2024-01-01 13:00 PM"),
        *("2024-01-01 0:30 AM", "1/2/24", "12:30", "Jan 2024", "May"),
    ],
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


@pytest.mark.parametrize(
    "text, what",
    [
        ("1/2/24", "a year of two digits"),
        ("05.01.24 12:30", "a year of two digits"),
        ("5-Jan-24", "a year of two digits"),
        ("12:30", "a time, not a day"),
        ("1:30:05 PM", "a time, not a day"),
        ("2024-01-05", None),
        ("3/4", None),
        ("1.5", None),
    ],
)
def test_what_is_nearly_a_date(text, what):
    assert what_is_unclear(text) == what
