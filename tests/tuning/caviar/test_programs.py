"""Programs are used again by later trials of the same structure."""

import pytest

from tfcourse.tuning.caviar import programs as caviar_programs


@pytest.fixture
def made():
    return []


@pytest.fixture
def programs(monkeypatch, made):
    class GroupProgram:
        """Takes candidates of one letter."""

        def __init__(self, candidates, seed, by_one_step):
            self.by_one_step = by_one_step
            (self.letter,) = set(candidates)
            made.append((self.letter, seed))

        def accepts(self, candidates):
            return set(candidates) == {self.letter}

    monkeypatch.setattr(caviar_programs, "GroupProgram", GroupProgram)
    return caviar_programs.ProgramCache("12")


def test_the_same_structure_gets_the_same_program(programs, made):
    first = programs.of("aaa", 0)
    assert programs.of("b", 0) is not first
    assert programs.of("aa", 0) is first
    assert made == [("a", 0), ("b", 0)]


def test_those_used_last_are_kept(programs, made):
    letters = "abcdefgh"
    for letter in letters:
        programs.of(letter, 0)
    programs.of("a", 0)
    programs.of("i", 0)
    # "b" was used least recently.
    for letter in "acdefghib":
        programs.of(letter, 1)
    assert made[len(letters) + 1 :] == [("b", 1)]


def test_side_by_side_and_one_by_one_are_two_programs(programs, made):
    side_by_side = programs.of("a", 0)
    by_one_step = programs.of("a", 0, by_one_step=True)
    assert by_one_step is not side_by_side
    assert programs.of("a", 0, by_one_step=True) is by_one_step
    assert programs.of("a", 0) is side_by_side
    programs.of("b", 0)
    assert programs.has("b")
    assert not programs.has("b", by_one_step=True)


def test_a_program_has_one_name_for_all_that_it_trains(programs):
    names = [programs.name_of(programs.of(x, 0)) for x in ["a", "b", "aa"]]
    assert names == ["1", "2", "1"]
