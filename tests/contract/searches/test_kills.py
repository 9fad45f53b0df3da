"""Halving and Hyperband, killed: as if nothing had been.

What a trial gets there depends on the others, so that all of a population has
to be written, or none.
"""

import pathlib

import numpy as np
import pytest
from damaged.kills import WAYS, Processes, completed, search, trials


class KilledError(BaseException):
    """Ends a search as `kill -9` would, as far as files can tell."""


def check(whole, folder, before):
    """Compares a search that was killed with one that was not."""
    assert trials(folder) == whole
    after = completed(folder)
    assert {trial: after[trial] for trial in before} == before


def test_killed_while_a_population_is_written(tmp_path, monkeypatch):
    search("halving", tmp_path / "whole")
    original = pathlib.Path.replace

    def replace(path, to):
        # The third of four trials: two of them have ended for good.
        ends = to.name == "trial.json" and '"COMPLETED"' in path.read_text()
        if ends and to.parent.name == "trial_2":
            raise KilledError
        return original(path, to)

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "replace", replace)
        with pytest.raises(KilledError):
            search("halving", tmp_path / "r")
    before = completed(tmp_path / "r")
    assert len(before) == 2

    search("halving", tmp_path / "r")

    check(trials(tmp_path / "whole"), tmp_path / "r", before)
    messages = [p.read_text() for p in tmp_path.glob("r/p/*/trial.json")]
    assert sum("dropped after" in text for text in messages) == 6


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_killed_at_random_moments(tmp_path, way):
    rng = np.random.default_rng(0)
    processes = Processes()
    _, seconds = processes.run(way, tmp_path / "whole")
    whole = trials(tmp_path / "whole")
    assert {status for _, status, _ in whole.values()} == {"COMPLETED"}

    kills = 0
    for n in range(2):
        folder = tmp_path / str(n)
        for _ in range(2):
            before = completed(folder)
            moment = (
                {"at": int(rng.integers(1, 5 * len(whole)))}
                if rng.uniform() < 0.7
                else {"seconds": rng.uniform(0.1, 1) * seconds}
            )
            killed, _ = processes.run(way, folder, **moment)
            kills += killed
            after = completed(folder)
            assert {trial: after[trial] for trial in before} == before
        before = completed(folder)
        processes.run(way, folder)
        check(whole, folder, before)
    assert kills > 1
