"""`tfcourse tune --ray` and `doctor --ray`: a cluster on this host."""

import json
import os
import re
import subprocess
import sys

import pytest
from executors.outcomes import outcome
from kills import SPACE

SMALL = ["tune", "--data", "iris", "--space", SPACE]
SMALL += ["--trials", "4", "--epochs", "2", "--rounds", "2"]


def run(*arguments, folder):
    done = subprocess.run(
        [sys.executable, "-c", "from tfcourse.cli import main; main()"]
        + [str(argument) for argument in arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments, message",
    [
        (["tune", "--workers", "2"], "give --ray local"),
        (
            ["tune", "--ray", "local", "--gpus-per-worker", "1.5"],
            "whole number",
        ),
        (["tune", "--population", "4", "--strategy", "serial"], "together"),
        (["doctor", "--space", "m.py:build"], "give --ray"),
        (["doctor", "--ray", "127.0.0.1:9"], "127.0.0.1:9 does not answer"),
    ],
)
def test_workers_that_cannot_be(tmp_path, arguments, message):
    code, out, err = run(*arguments, folder=tmp_path)

    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_cluster_on_this_host(tmp_path):
    pytest.importorskip("ray")
    workers = ["--ray", "local", "--workers", "2", "--population", "2"]
    code, out, err = run(*SMALL, *workers, "--out", "two", folder=tmp_path)
    assert code == 0, err
    assert re.search(r"trials +4 completed", out)
    groups = json.loads((tmp_path / "two/search/groups.json").read_text())
    assert all(group["node"] for group in groups)
    assert "groups restarted" in (tmp_path / "two/report.html").read_text()

    here = ["--population", "2", "--out", "one"]
    code, _, err = run(*SMALL, *here, folder=tmp_path)
    assert code == 0, err
    assert outcome(tmp_path / "one/search") == outcome(tmp_path / "two/search")


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_doctor_asks_each_node(tmp_path):
    pytest.importorskip("ray")
    code, out, err = run("doctor", "--ray", "local", folder=tmp_path)
    assert code == 0, err
    assert re.search(r"^ ok +\S+ +\d+ of \d+ cores for workers", out)
    (tmp_path / "m.py").write_text(
        "def build(hp):\n    raise ValueError('x')\n"
    )
    space = ["--ray", "local", "--space", "m.py:build"]
    code, out, _ = run("doctor", *space, folder=tmp_path)
    assert code == 1
    assert "cannot build the search space: ValueError: x" in " ".join(
        out.split()
    )
