"""A search that is killed: does it end as if nothing had been?"""

import numpy as np
import pytest

from tests.tuning.evolution.searches import (
    FIT,
    X,
    Y,
    of_keras,
    rate_only,
    searched,
)
from tfcourse.errors import InputError
from tfcourse.tuning import Evolution
from tfcourse.tuning.evolution.checkpoint import Checkpoint
from tfcourse.tuning.evolution.generations import Generations


class KilledError(BaseException):
    """Ends a search as `kill -9` would, as far as files can tell."""


def killed_after(monkeypatch, calls):
    """Kills a search in the epoch after so many generations were written."""
    original, written = Checkpoint.write, []

    def write(self, *args):
        original(self, *args)
        written.append(args)

    call = Generations.__call__

    def later(self, *args):
        if len(written) == calls:
            raise KilledError
        call(self, *args)

    monkeypatch.setattr(Checkpoint, "write", write)
    monkeypatch.setattr(Generations, "__call__", later)
    return written


def weights(tuner):
    return [
        np.concatenate([np.ravel(v) for v in model.get_weights()])
        for model in tuner.get_best_models(8)
    ]


def begins(tuner):
    return [t.hyperparameters.values for t in tuner.oracle.get_best_trials(8)]


@pytest.mark.parametrize(
    "fit, settings",
    [
        ({}, {}),
        pytest.param(
            {"steps_per_epoch": 2}, {"interval": 2}, marks=pytest.mark.slow
        ),
    ],
)
def test_it_ends_as_if_it_had_not_been_killed(
    tmp_path, monkeypatch, fit, settings
):
    whole = searched(tmp_path / "whole", of_keras, fit=fit, **settings)
    with monkeypatch.context() as patch:
        killed_after(patch, 2)
        with pytest.raises(KilledError):
            searched(tmp_path / "r", of_keras, fit=fit, **settings)
    with monkeypatch.context() as patch:
        written = killed_after(patch, -1)
        again = searched(tmp_path / "r", of_keras, fit=fit, **settings)
        # The first two generations are not gone through again.
        assert len(written) == len(whole.ancestry.generations) - 3

    assert again.ancestry.generations == whole.ancestry.generations
    assert begins(again) == begins(whole)
    for one, other in zip(weights(again), weights(whole), strict=True):
        np.testing.assert_array_equal(one, other)
    trials = [
        {i: (t.score, t.best_step) for i, t in tuner.oracle.trials.items()}
        for tuner in (again, whole)
    ]
    assert trials[0] == trials[1]
    assert not list(tmp_path.glob("*/p/population.npz"))


def test_other_rules_are_refused(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        killed_after(patch, 1)
        with pytest.raises(KilledError):
            searched(tmp_path, epochs=4)
    tuner = Evolution(
        rate_only,
        "val_loss",
        8,
        interval=2,
        directory=tmp_path,
        project_name="p",
    )
    with pytest.raises(InputError, match="begun with .*interval=1"):
        tuner.search(X[:16], Y[:16], **FIT)


def test_a_damaged_file_is_left_aside(tmp_path, monkeypatch, caplog):
    whole = searched(tmp_path / "whole", epochs=4)
    with monkeypatch.context() as patch:
        killed_after(patch, 1)
        with pytest.raises(KilledError):
            searched(tmp_path / "r", epochs=4)
    file = tmp_path / "r" / "p" / "population.npz"
    file.write_bytes(file.read_bytes()[:-100])
    again = searched(tmp_path / "r", epochs=4)
    assert "population.npz is left aside" in caplog.text
    assert again.ancestry.generations == whole.ancestry.generations
