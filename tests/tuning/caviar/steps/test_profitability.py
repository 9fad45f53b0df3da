"""A program is made where it pays: for enough trials of its structure."""

import types

import keras
import pytest
from keras import layers

from tfcourse.tuning.caviar.programs import ProgramCache
from tfcourse.tuning.caviar.steps import profitability
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.steps.profitability import Profitability
from tfcourse.tuning.population import build_deferred


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    monkeypatch.setattr(profitability, "LEAST", 3)
    monkeypatch.setattr(profitability, "LEAST_RECURRENT", 5)


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
        Candidate(trial, build, model, {"subsets": subsets})
        for trial in range(count)
    ]


def rule(executions=1, least=None, programs=None):
    tuner = types.SimpleNamespace(executions_per_trial=executions)
    return Profitability(tuner, programs or ProgramCache(), least)


def test_few_trials_are_trained_alone_and_it_says_from_how_many_on():
    assert rule().too_few([candidates(3)]) == ""
    assert rule().too_few([candidates(2)]) == (
        "2 of its structure are too few: a program pays from 3 on"
    )


def test_recurrent_layers_take_more_trials_wherever_they_are():
    assert rule().too_few([candidates(4, layers.GRU(2))])
    assert not rule().too_few([candidates(5, layers.GRU(2))])
    inside = layers.Bidirectional(layers.LSTM(2, return_sequences=True))
    assert rule().too_few([candidates(4, inside)])


def test_each_fold_and_each_execution_counts():
    assert not rule(executions=3).too_few([candidates(1)])
    assert not rule().too_few([candidates(1, folds=3)])


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
