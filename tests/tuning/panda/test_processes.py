"""Runs in processes of their own: killed, steered, on several devices."""

import random

import numpy as np
import panda_processes
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning.panda import Remote, read_journal, read_status
from tfcourse.tuning.panda.control.run_folder import acquire_lock


@pytest.fixture(scope="module")
def processes():
    return panda_processes.ProcessPool()


def wait_for_lines(process, folder, count):
    while len(read_journal(folder)) < count:
        process.join(timeout=0.02)
        assert process.exitcode is None


def weights(folder):
    with np.load(panda_processes.weights_of(folder)) as stored:
        return [stored[name] for name in stored]


@pytest.mark.slow
def test_killed_at_random_moments_equals_an_unbroken_run(
    tmp_path, processes, runs
):
    draw = random.Random(0)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    unbroken = processes.start(panda_processes.train, whole, 12)
    for _ in range(2):
        before = len(read_journal(broken))
        with panda_processes.ended(
            processes.start(panda_processes.train, broken, 12)
        ) as process:
            wait_for_lines(process, broken, before + draw.randrange(3, 40))
    panda_processes.finish(processes.start(panda_processes.train, broken, 12))
    panda_processes.finish(unbroken)

    for ours, theirs in zip(weights(broken), weights(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(runs.events(broken, "restart")) == 2

    def metrics(folder):
        return {
            (e["step"], e["epoch"]): e["metrics"] for e in runs.periods(folder)
        }

    assert metrics(broken) == metrics(whole)


@pytest.mark.slow
def test_run_is_steered_from_a_second_process(tmp_path, processes):
    folder = tmp_path / "run"
    with panda_processes.ended(
        processes.start(panda_processes.train, folder, 10**5)
    ) as process:
        wait_for_lines(process, folder, 20)
        remote = Remote(folder)
        assert remote.set(beta_1=0.5, learning_rate=0.001) == (
            "beta_1 0.9 → 0.5, learning_rate 0.01 → 0.001"
        )
        with pytest.raises(InputError, match="is in use by another process"):
            acquire_lock(folder)
        assert remote.pause().startswith("paused at step ")
        status = read_status(folder)
        assert (status.state, status.alive) == ("paused", True)
        kept = status.published["checkpoints"][-1]["step"]
        assert remote.rollback(step=kept).startswith("back at epoch ")
        assert remote.resume().startswith("continues at step ")
        assert remote.stop().startswith("stopped at step ")
        panda_processes.finish(process)
    assert read_status(folder).state == "stopped"

    with panda_processes.ended(
        processes.start(panda_processes.train, folder, 10**5)
    ) as process:
        wait_for_lines(process, folder, len(read_journal(folder)) + 3)
    assert read_status(folder).state == "killed"
    with pytest.raises(InputError, match="No run is alive"):
        remote.pause()


@pytest.mark.slow
def test_mirrored_strategy(tmp_path, processes, runs):
    folder = tmp_path / "run"
    panda_processes.finish(
        processes.start(panda_processes.train_mirrored, folder)
    )

    assert weights(folder)[0] == pytest.approx(5e-4)
    (rollback,) = runs.events(folder, "rollback")
    assert (rollback["from"], rollback["to"]["step"]) == (6, 4)
    last = runs.periods(folder)[-1]
    assert last["epoch"] == 3
    assert last["gradient_norm"] > 0
