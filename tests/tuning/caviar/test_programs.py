"""ProgramCache are used again by later trials of the same structure."""

import types

import keras
import pytest

from tfcourse.tuning.caviar import programs as caviar_programs
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.steps.grouping import grouped, make_groups
from tfcourse.tuning.population import build_deferred


@pytest.fixture
def made():
    return []


@pytest.fixture
def programs(monkeypatch, made):
    class GroupProgram:
        """Takes candidates of one letter."""

        def __init__(self, candidates, seed):
            (self.letter,) = set(candidates)
            made.append((self.letter, seed))

        def accepts(self, candidates):
            return set(candidates) == {self.letter}

    monkeypatch.setattr(caviar_programs, "GroupProgram", GroupProgram)
    return caviar_programs.ProgramCache()


def test_the_same_structure_gets_the_same_program(programs, made):
    first = programs.of("aaa", 0)
    assert programs.of("b", 0) is not first
    assert programs.of("aa", 0) is first
    assert made == [("a", 0), ("b", 0)]


def test_those_used_last_are_kept(programs, made):
    for letter in "abcd":
        programs.of(letter, 0)
    programs.of("a", 0)
    programs.of("e", 0)
    # "b" was used least recently.
    for letter in "acdeb":
        programs.of(letter, 1)
    assert made[5:] == [("b", 1)]


def candidate(number, momentum):
    def build():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.1, momentum), "mse")
        return model

    trial = types.SimpleNamespace(trial_id=number)
    return Candidate(trial, build, build_deferred(build), {"epochs": 1})


def test_says_why_a_trial_is_in_a_program_of_its_own():
    one = [candidate("0", 0.9), candidate("1", 0.95), candidate("2", 0.9)]
    (_, first), (second, why) = make_groups(one)
    assert first == ""
    assert [c.trial.trial_id for c in second[0]] == ["1"]
    assert why == "not with trial 0: optimizer, momentum: 0.9 and 0.95"


def deep(number, depth):
    def build():
        hidden = [keras.layers.Dense(3, "relu") for _ in range(depth)]
        model = keras.Sequential(
            [keras.Input((2,)), *hidden, keras.layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        return model

    trial = types.SimpleNamespace(trial_id=number)
    return Candidate(trial, build, build_deferred(build), {"epochs": 1})


def test_networks_of_like_depth_are_neighbours():
    candidates = [deep(str(i), n) for i, n in enumerate([3, 1, 2, 1, 3])]
    ((part,),) = grouped(candidates)
    assert [c.trial.trial_id for c in part] == ["1", "3", "2", "0", "4"]
