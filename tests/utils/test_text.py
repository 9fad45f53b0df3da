"""Errors, times and names as text."""

import pytest

from tfcourse.utils.text import duration, first_line, format_value, listed


@pytest.mark.parametrize(
    "message, line",
    [
        ("wrong", "wrong"),
        ("\n  wrong: 3\n\nand so on", "wrong: 3"),
        ("", ""),
        (
            "\x1b[1mException encountered when calling Dense.call().\x1b[0m\n"
            "\n\x1b[1mwrong shape\x1b[0m\n",
            "wrong shape",
        ),
        ("in user code:\n\n    wrong shape", "wrong shape"),
        (
            "Exception encountered when calling",
            "Exception encountered when calling",
        ),
        (
            "Graph execution error:\n\nDetected at node a/b defined at (most "
            'recent call last):\n  File "a.py", line 3, in f\n\n'
            '  File "b.py", line 4, in g\n\nIndices are not valid.\n',
            "Indices are not valid.",
        ),
    ],
)
def test_first_line_tells_what_is_wrong(message, line):
    assert first_line(ValueError(message)) == line


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0, "0 s"),
        (0.53, "0.53 s"),
        (14.2, "14 s"),
        (59.6, "1 min 0 s"),
        (114, "1 min 54 s"),
        (7505, "2 h 5 min"),
    ],
)
def test_duration_is_said_in_two_units(seconds, text):
    assert duration(seconds) == text


def test_many_names_are_cut_short():
    assert listed(["a"], "column") == "column 'a'"
    assert listed("abc", "column", at_most=2) == "columns 'a', 'b' and 1 more"


@pytest.mark.parametrize(
    "value, text",
    [
        (None, ""),
        (3, "3"),
        ("adam", "adam"),
        (0.99954, "0.99954"),
        (1e-5, "1e-05"),
    ],
)
def test_values_keep_the_digits_that_tell_them_apart(value, text):
    assert format_value(value) == text
