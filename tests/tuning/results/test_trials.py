"""Which trial is the best."""

import math

import pytest

from tfcourse.tuning.results.trials import TrialRecord, ranked


def record(
    trial,
    score,
    losses=(),
    best_epoch=1,
    status="completed",
    cross_entropy=(),
):
    curves = {"val_loss": losses, "val_cross_entropy": cross_entropy}
    curves = {name: list(values) for name, values in curves.items() if values}
    return TrialRecord(
        trial, status, score, {}, best_epoch=best_epoch, curves=curves
    )


def order(records, direction):
    return [one.trial for one in ranked(records, direction)]


def test_of_equal_scores_the_lower_loss_in_the_best_epoch_leads():
    found = [
        record("0", 1.0, [0.5, 0.1], best_epoch=1),
        record("1", 0.9, [0.01, 0.01], best_epoch=2),
        record("2", 1.0, [0.9, 0.2], best_epoch=2),
        record("3", 1.0, [0.3, 0.9], best_epoch=1),
    ]
    assert order(found, "max") == ["2", "3", "0", "1"]
    assert order(found, "min") == ["1", "2", "3", "0"]


def test_a_loss_without_penalties_decides_if_it_is_known():
    found = [
        record("0", 1.0, [0.1], cross_entropy=[0.9]),
        record("1", 1.0, [0.2], cross_entropy=[0.8]),
    ]
    assert order(found, "max") == ["1", "0"]


@pytest.mark.parametrize("losses", [(), (math.nan,), (None,)])
def test_a_loss_that_is_not_known_comes_last_among_equals(losses):
    found = [record("0", 1.0, losses), record("1", 1.0, [7.0])]
    assert order(found, "max") == ["1", "0"]


def test_equals_keep_their_order_where_no_loss_is_known():
    found = [record(name, 0.5) for name in "012"]
    assert order(found, "max") == order(found, "min") == ["0", "1", "2"]


def test_only_finite_scores_of_completed_trials_count():
    found = [
        record("0", math.inf),
        record("1", 0.5),
        record("2", None, status="failed"),
    ]
    assert order(found, "max") == ["1"]
