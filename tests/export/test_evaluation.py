"""Scores of predicted classes and amounts, and what warns of them."""

import pytest

from tfcourse.export.evaluation import (
    classification_scores,
    majority_warning,
    regression_intervals,
)


def scored(true, predicted):
    return classification_scores(true, predicted, ["no", "yes"])


def test_always_the_commonest_class_is_warned_of():
    true = ["no"] * 90 + ["yes"] * 10

    found = scored(true, ["no"] * 100)

    assert found["accuracy"] == 0.9
    assert found["classes"]["yes"]["recall"] == 0
    assert majority_warning(found) == (
        "Accuracy 0.9000 is no more than what always answering 'no' would "
        "get, 0.9000. Look at precision and recall of the other classes; "
        "search by --objective val_f1, or with --class-weight balanced."
    )


@pytest.mark.parametrize(
    "right, m, warned",
    [(5, 10, True), (9, 10, False), (60, 1000, True), (500, 1000, False)],
)
def test_a_warning_asks_for_a_sure_and_a_useful_gain(right, m, warned):
    """Of 1 in 10 that are "yes"; `right` of `m` of these are found."""
    true = ["yes"] * m + ["no"] * 9 * m
    predicted = ["yes"] * right + ["no"] * (m - right) + ["no"] * 9 * m

    warning = majority_warning(scored(true, predicted))

    assert (warning is not None) == warned
    if warned:
        assert "is little more than what always" in warning


def test_two_amounts_have_no_interval():
    assert regression_intervals([1.0, 2.0], [1.0, 2.0]) == {}
