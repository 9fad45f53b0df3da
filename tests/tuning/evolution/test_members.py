"""Members with other hyperparameters: are the right variables set?"""

import numpy as np
import pytest
from tensorflow.python.eager import context

from tests.tuning.evolution.searches import (
    of_keras,
    of_tfcourse,
    rate_only,
    searched,
)
from tfcourse.tuning.caviar.programs import GroupProgram
from tfcourse.tuning.evolution.generations import Generations


@pytest.mark.parametrize(
    "build",
    [
        of_keras,
        pytest.param(of_tfcourse, marks=pytest.mark.slow),
        pytest.param(rate_only, marks=pytest.mark.slow),
    ],
)
def test_values_are_those_that_a_model_begins_with(
    tmp_path, monkeypatch, build
):
    original, seen = GroupProgram.values_at, []

    def both(self, candidate, numbers):
        found = original(self, candidate, numbers)
        columns = self.initial_values([candidate])
        seen.append((found, {i: columns[i][0] for i in numbers}))
        return found

    monkeypatch.setattr(GroupProgram, "values_at", both)
    searched(tmp_path, build, epochs=3)
    assert len(seen) == 4
    for found, expected in seen:
        assert found.keys() == expected.keys()
        for i, value in found.items():
            np.testing.assert_array_equal(value, expected[i])


def test_no_copy_makes_tensorflow_compile_anew(tmp_path, monkeypatch):
    """It forgets what it has compiled when it is given another seed."""
    of_process, call, seeds = (
        context.Context._set_global_seed,
        Generations.__call__,
        [],
    )

    def generation(self, *args):
        with monkeypatch.context() as patch:
            patch.setattr(
                context.Context,
                "_set_global_seed",
                lambda own, seed: (seeds.append(seed), of_process(own, seed)),
            )
            call(self, *args)

    monkeypatch.setattr(Generations, "__call__", generation)
    searched(tmp_path, epochs=4)
    # The first may: what was before it had another.
    assert len(seeds) <= 1
