"""Caviar as chief and workers: do all trials run, each once, on loopback?"""

import itertools
import os
import pathlib
import socket
import subprocess
import sys

import fake_training
import pytest

from tfcourse.utils.atomic_files import read_json

TRIALS = 10
WORKER = """
import sys

import pytest
import fake_training

with pytest.MonkeyPatch.context() as patch:
    ran = fake_training.install(patch, fake_training.third_diverges)
    fake_training.layered_search(sys.argv[1], int(sys.argv[2]))
print(*[trial_id for part in ran for trial_id in part])
"""


def variables(name, port):
    return {
        "KERASTUNER_TUNER_ID": name,
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(port),
    }


def start_worker(name, port, folder):
    paths = [*sys.path, str(pathlib.Path(fake_training.__file__).parents[1])]
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), str(TRIALS)],
        env=os.environ
        | variables(name, port)
        | {"PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_workers_run_what_a_chief_gives(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workers = [start_worker(f"tuner{n}", port, tmp_path) for n in range(2)]
    try:
        with monkeypatch.context() as patch:
            for name, value in variables("chief", port).items():
                patch.setenv(name, value)
            chief = fake_training.layered_search(tmp_path, TRIALS)
        ends = [worker.communicate(timeout=60) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()

    assert [worker.returncode for worker in workers] == [0, 0], ends
    assert chief.groups == []
    ran = [out.splitlines()[-1].split() for out, _ in ends]
    ids = [f"{n:02d}" for n in range(TRIALS)]
    assert sorted(itertools.chain(*ran)) == ids
    project = tmp_path / "p"
    for trial_id in ids:
        state = read_json(project / f"trial_{trial_id}/trial.json")
        failed = trial_id == "03"
        assert state["status"] == ("FAILED" if failed else "COMPLETED")
        assert (project / f"trial_{trial_id}/history.json").exists()
    oracle = read_json(project / "oracle.json")
    assert sorted(oracle["end_order"]) == ids
    # What a worker met late is drawn for those that came after.
    names = {h["config"]["name"] for h in oracle["hyperparameters"]["space"]}
    assert {"units_0", "units_1", "units_2", "learning_rate"} <= names
    groups = [
        trial_id
        for path in project.glob("groups-*.json")
        for group in read_json(path)
        for trial_id in group["trials"]
    ]
    assert sorted(groups) == ids
