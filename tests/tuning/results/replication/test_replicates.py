"""Scores of several trainings: of which epoch, and how far apart?"""

import numpy as np
import pytest

from tfcourse.tuning.results.replication.replicates import (
    Replicates,
    replicates_of,
)
from tfcourse.tuning.results.trials import TrialRecord


def record(curves, score, best_epoch=1, trial="0"):
    return TrialRecord(
        trial,
        "completed",
        score,
        {"learning_rate": 0.1},
        best_epoch=best_epoch,
        of_models=curves,
    )


def test_each_execution_has_the_best_of_its_own_epochs():
    curves = [[0.5, 0.8, 0.7], [0.6, 0.5, 0.9]]
    (found,) = replicates_of([record(curves, 0.85)], "max")
    assert found.scores == (0.8, 0.9)
    assert found.mean == pytest.approx(0.85)
    assert found.deviation == pytest.approx(0.1 / np.sqrt(2))


def test_executions_of_folds_have_the_best_of_their_mean():
    curves = [[0.4, 0.8], [0.6, 0.2], [0.1, 0.5], [0.3, 0.5]]
    (found,) = replicates_of([record(curves, 0.5)], "max", folds=2)
    assert found.scores == (0.5, 0.5)


def test_folds_have_the_epoch_in_which_their_mean_is_best():
    curves = [[0.4, 0.8], [0.6, 0.5], [0.1, 0.5]]
    (found,) = replicates_of([record(curves, 0.6, 2)], "max", folds=3)
    assert found.scores == (0.8, 0.5, 0.5)


def test_the_best_mean_comes_first_and_failures_are_left_out():
    bad = TrialRecord("2", "failed", None, {}, of_models=[[0.1], [np.nan]])
    records = [
        record([[3.0], [1.0]], 2.0, trial="0"),
        record([[1.0], [1.5]], 1.25, trial="1"),
        bad,
    ]
    found = replicates_of(records, "min")
    assert [one.trial for one in found] == ["1", "0"]


def test_interval_is_the_one_of_a_book():
    # Five scores of mean 10 and deviation 1: 2.776 of a t with four degrees.
    scores = np.array([-1.5, -0.5, 0, 0.5, 1.5])
    scores = 10 + scores / scores.std(ddof=1)
    found = Replicates("0", {}, tuple(scores), "max").interval
    np.testing.assert_allclose(
        found, [10 - 2.776445 / 5**0.5, 10 + 2.776445 / 5**0.5], rtol=1e-6
    )
