"""Halving: are the worse halves dropped, when they should be, and no others?"""

import numpy as np
import pytest

from tfcourse.tuning.caviar.successive_halving import Halving, rungs


class Members:
    """A population, as far as `Halving` knows one."""

    def __init__(self, size):
        self.members = np.arange(size)
        self.stopped = set()
        self.diverged = np.zeros(size, bool)

    @property
    def training(self):
        return np.array([k for k in self.members if k not in self.stopped])

    def stop(self, members):
        self.stopped |= {int(k) for k in members}

    def keep(self, members):
        self.stop(set(self.members.tolist()) - set(members))
        self.members = np.array(sorted(members))


def run(halving, members, curves, stops=None):
    """Trains through curves `(epochs, members)`; returns the members left."""
    sizes = []
    for epoch, values in enumerate(np.asarray(curves, float)):
        members.stop((stops or {}).get(epoch, ()))
        halving(members, epoch, {"loss": values[members.members]})
        sizes.append(len(members.members))
    return sizes


@pytest.mark.parametrize(
    "size, first, last, expected",
    [
        (64, 0, 80, {10: 32, 20: 16, 40: 8}),
        (5, 0, 4, {1: 3, 2: 2}),
        (64, 4, 8, {5: 32, 6: 16}),
        (64, 0, 3, {1: 32}),
        (1, 0, 80, {}),
        (8, 0, 1, {}),
    ],
)
def test_rungs(size, first, last, expected):
    assert rungs(size, first, last) == expected


def test_worse_half_is_dropped_by_the_best_so_far():
    halving = Halving(4, 1, ("loss", "min"), 0, 4)
    # The last has the best value at the first rung, in an epoch before it.
    curves = [[4, 3, 2, 1], [0, 3, 2, 9], [0, 0, 2, 9], [0, 0, 2, 9]]
    sizes = run(halving, Members(4), curves)
    assert sizes == [2, 1, 1, 1]
    assert halving.dropped == {0: 1, 1: 1, 2: 2}


def test_direction_is_that_of_the_objective():
    halving = Halving(2, 1, ("loss", "max"), 0, 2)
    run(halving, Members(2), [[1, 2], [1, 2]])
    assert halving.dropped == {0: 1}


def test_executions_of_a_trial_stay_together():
    halving = Halving(2, 2, ("loss", "min"), 0, 2)
    members = Members(4)
    run(halving, members, [[1, 9, 4, 4], [1, 9, 4, 4]])
    assert halving.dropped == {0: 1}
    assert members.members.tolist() == [2, 3]


def test_diverged_and_stopped_members_are_not_dropped():
    halving = Halving(4, 1, ("loss", "min"), 0, 2)
    # The first diverges, the second runs out of patience with the best value.
    run(halving, Members(4), [[np.nan, 1, 2, 3]] * 2, stops={0: [0, 1]})
    # The third is the second best: it goes on.
    assert halving.dropped == {3: 1}


def test_member_that_diverged_late_is_not_among_the_best():
    halving = Halving(4, 1, ("loss", "min"), 0, 4)
    members = Members(4)
    halving._survivors = {2: 2}
    members.diverged[0] = True
    run(halving, members, [[0, 1, 2, 3]] * 2, stops={0: [0]})
    assert halving.dropped == {3: 2}


def test_what_fills_a_program_up_goes_first():
    halving = Halving(2, 1, ("loss", "min"), 0, 2)
    members = Members(5)
    run(halving, members, [[1, 2, 0, 0, 0]] * 2)
    assert members.members.tolist() == [0]
    assert halving.dropped == {1: 1}


def test_values_after_the_end_of_a_member_do_not_count():
    halving = Halving(2, 1, ("loss", "min"), 0, 4)
    curves = [[2, 3], [0, 1], [2, 1], [2, 1]]
    # The first stopped before it had the 0, and so is the worse one.
    members = Members(2)
    halving._survivors = {2: 1}
    run(halving, members, curves, stops={0: [0]})
    assert halving.dropped == {}
    assert members.members.tolist() == [1]
