"""A program is made where it pays: for enough trials of its structure."""

import dataclasses
import types

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse.tuning.caviar.programs import ProgramCache
from tfcourse.tuning.caviar.steps import costs
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.steps.profitability import Profitability
from tfcourse.tuning.population import build_deferred

# No examples: that a program trains no longer than `fit` is told elsewhere.
FITTED = {"x": np.ones((0, 4, 2)), "epochs": 1, "initial_epoch": 0}


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """Of three trials a program pays, of five with a recurrent layer."""
    monkeypatch.setattr(costs, "ALONE", 1.0)
    monkeypatch.setattr(costs, "SHARED", 1e18)
    monkeypatch.setattr(costs, "PROGRAM", 3.0)
    for name in ("_PROGRAM_LAYER", "_ALONE_LAYER", "ALONE_RECURRENT"):
        monkeypatch.setattr(costs, name, 0.0)
    monkeypatch.setattr(costs, "PROGRAM_RECURRENT", 2.0 * costs._STEPS / 4)
    monkeypatch.setattr(costs, "PROGRAM_MASKS", 2.0 * costs._STEPS / 4)


def candidates(count, *hidden, folds=1):
    def build():
        model = keras.Sequential(
            [keras.Input((4, 2)), *hidden, layers.Flatten(), layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        return model

    subsets = None if folds == 1 else ([[0]] * folds, [[1]] * folds)
    model = build_deferred(build)
    return [
        Candidate(trial, build, model, {"subsets": subsets, **FITTED})
        for trial in range(count)
    ]


def wide(units):
    """Returns three candidates of many steps."""
    some = candidates(3, layers.Dense(units), layers.Dense(units))
    data = {**FITTED, "x": np.ones((9999, 4, 2)), "subsets": None}
    return [dataclasses.replace(c, arguments=data) for c in some]


def rule(executions=1, least=None, programs=None):
    tuner = types.SimpleNamespace(executions_per_trial=executions)
    return Profitability(tuner, programs or ProgramCache(), least)


def test_few_trials_are_trained_alone_and_it_says_from_how_many_on():
    assert rule().too_few([candidates(3)]) == ""
    assert rule().too_few([candidates(2)]) == (
        "only 2 trials have its structure: a program pays off from 3"
    )


def test_recurrent_layers_take_more_trials_wherever_they_are():
    assert rule().too_few([candidates(4, layers.GRU(2))])
    assert not rule().too_few([candidates(5, layers.GRU(2))])
    inside = layers.Bidirectional(layers.LSTM(2, return_sequences=True))
    assert rule().too_few([candidates(4, inside)])


def test_dropout_inside_takes_still_more():
    inside = layers.Bidirectional(layers.GRU(2, dropout=0.5))
    assert rule().too_few([candidates(6, inside)])
    assert not rule().too_few([candidates(7, inside)])
    # Any of them may have it.
    some = [*candidates(5, layers.GRU(2)), *candidates(1, inside)]
    assert rule().too_few([some])


def test_each_fold_and_each_execution_counts():
    assert not rule(executions=3).too_few([candidates(1)])
    assert not rule().too_few([candidates(1, folds=3)])


def test_what_is_padded_more_than_it_saves_is_trained_alone():
    some = [candidate for size in (1, 900) for candidate in wide(size)]
    assert rule().too_few([some]) == "one program for them would take longer"


def test_all_arguments_of_fit_count_together():
    assert not rule().too_few([candidates(2), candidates(1)])


def test_trials_of_earlier_rounds_count():
    pays = rule()
    assert pays.too_few([candidates(1)])
    assert pays.too_few([candidates(1)])
    assert not pays.too_few([candidates(1)])
    # Of another structure there was none.
    assert pays.too_few([candidates(1, layers.ReLU())])


def test_a_program_that_is_there_is_used():
    class Programs(ProgramCache):
        def has(self, some):
            return True

    assert not rule(programs=Programs()).too_few([candidates(1)])


def test_the_user_may_say_how_many():
    assert not rule(least=1).too_few([candidates(1, layers.GRU(2))])
    assert rule(least=9).too_few([candidates(8)])
