"""Is what no argument may be refused, by one class of error and one message?"""

import numpy as np
import pytest

from tfcourse.utils.validation import (
    Interval,
    check_flag,
    check_integer,
    check_number,
    unknown_name,
)


@pytest.mark.parametrize(
    "interval, inside, outside",
    [
        ("[0, 1)", [0, 0.0, 0.5, np.float32(0.9)], [-1e-9, 1, float("nan")]),
        ("(0, 1]", [1e-9, 1], [0, 1.1]),
        ("(0, inf)", [1e300], [0, float("inf")]),
    ],
)
def test_numbers_lie_in_their_interval(interval, inside, outside):
    for value in inside:
        check_number(value, "rate", "Layer", interval)
        assert value in Interval(interval)
    for value in outside:
        with pytest.raises(ValueError, match="`rate` of Layer must lie in"):
            check_number(value, "rate", "Layer", interval)


@pytest.mark.parametrize("value", ["1", None, True, [1.0], 1j])
def test_what_is_no_number_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"of Layer must be a number in \[0, 1"):
        check_number(value, "rate", "Layer", "[0, 1)")


def test_integers_have_a_least_value():
    check_integer(1, "n", "split")
    check_integer(np.int64(0), "n", "split", least=0)
    check_integer(-3, "axis", "Layer", least=None)
    with pytest.raises(ValueError, match="`n` of split must be at least 1.*=0"):
        check_integer(0, "n", "split")
    with pytest.raises(ValueError, match="^`n` must be at least 2.*n=1"):
        check_integer(1, "n", least=2)


@pytest.mark.parametrize("value", [1.0, "1", None, True])
def test_what_is_not_whole_is_a_type_error(value):
    with pytest.raises(TypeError, match="`n` of split must be a whole"):
        check_integer(value, "n", "split")
    with pytest.raises(TypeError, match=r"must be a whole number\. Received"):
        check_integer(value, "axis", "Layer", least=None)


def test_only_a_bool_is_a_flag():
    check_flag(False, "center", "Layer")
    for value in ("no", 1, None):
        with pytest.raises(TypeError, match="`center` of Layer must be True"):
            check_flag(value, "center", "Layer")


def test_an_unknown_name_names_the_nearest():
    assert unknown_name("data set", "irs", {"iris": 0, "wine": 1}) == (
        "There is no data set 'irs'. Did you mean 'iris'? Known: iris, wine."
    )
    assert "mean" not in unknown_name("data set", "zzz", ["iris"])
    assert "mean 'AGE'" in unknown_name("column", "age", ["cage", "AGE"])


def test_many_and_long_names_are_cut():
    names = ["x" * 99, *(f"f{i}" for i in range(99))]
    text = unknown_name("column", "y", names)
    assert f"Known: {'x' * 49}…, f0, f1" in text
    assert text.endswith("f17, f18 and 80 more.")
