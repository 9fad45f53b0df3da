"""`tfcourse tune --evolve` on a table, as a user meets it."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from damaged.commands import call
from kills import SPACE

from tfcourse.tuning.results.search_results import read_results

SMALL = ("tune", "--evolve", "--population", "6", "--epochs", "6")


def start(*arguments, folder):
    return subprocess.Popen(
        [sys.executable, "-c", "from tfcourse.cli import main; main()"]
        + [str(argument) for argument in arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments, folder):
    process = start(*arguments, folder=folder)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def write_table(path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 4)).round(3)
    y = np.where(x[:, 0] + x[:, 1] > 0, "yes", "no")
    rows = [",".join([*map(str, r), t]) for r, t in zip(x, y, strict=True)]
    path.write_text("\n".join(["a,b,c,d,y", *rows, ""]))


@pytest.mark.parametrize(
    "options, message",
    [
        (["--evolve", "--trials", "9"], "--evolve takes no --trials: .*"),
        (["--evolve", "--rounds", "1"], "--evolve takes no --rounds: .*"),
        (["--evolve", "--seeds", "5"], "--evolve takes no --seeds: .*"),
        (["--evolve", "--folds", "5"], "--evolve takes no --folds: .*"),
        (["--evolve", "--strategy", "serial"], ".*leave out --evolve, or.*"),
        (["--evolve", "--population", "1"], "--evolve needs two members.*"),
        (["--interval", "3"], "--interval says how a population evolves.*"),
        (["--quantile", "0.3"], "--quantile says how a population evolves.*"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(tmp_path, options, message):
    code, out, err = call("tune", *options, "--out", tmp_path / "r")
    assert (code, out) == (2, "")
    assert re.fullmatch(f"Error: {message}\n", err)
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_a_table_is_evolved_on_resumed_and_not_begun_twice(tmp_path):
    write_table(tmp_path / "t.csv")
    new = [*SMALL, "--data", "t.csv", "--target", "y", "--interval", "2"]
    code, out, err = run(*new, "--out", "r", folder=tmp_path)
    assert code == 0, err
    assert re.search(r"trials +6 completed", out)
    assert re.search(r"schedule +\w.* over \d epochs? in \d parts?", out)
    results = read_results(tmp_path / "r")
    assert results.manifest["settings"]["trials"] == 6
    assert {axis.name for axis in results.searched_axes} == {
        "learning_rate",
        "beta",
        "decay_rate",
        "keep_prob",
        "lambda",
    }
    for file in ("model.keras", "model/saved_model.pb", "report.html"):
        assert (tmp_path / "r" / file).exists()
    code, out, _ = run(
        *("predict", "r/model", "r/examples.csv"), folder=tmp_path
    )
    assert (code, out.splitlines()[0]) == (0, "y,predicted,probability")

    code, out, err = run(*new, "--out", "r", folder=tmp_path)
    assert (code, out) == (2, "")
    assert re.fullmatch("Error: r exists and is not empty.*\n", err)
    code, out, _ = run("tune", "--resume", "--out", "r", folder=tmp_path)
    assert code == 0
    assert re.search(r"trials +6 completed", out)
    code, _, err = run(
        *("tune", "--resume", "--out", "r", "--trials", "9"), folder=tmp_path
    )
    assert code == 2
    assert "--evolve takes no --trials" in err


@pytest.mark.slow
def test_it_is_stopped_by_ctrl_c_and_goes_on(tmp_path):
    words = [*SMALL[:-1], "4000", "--data", "iris", "--space", SPACE]
    process = start(*words, "--out", "r", folder=tmp_path)
    kept = tmp_path / "r" / "search" / "population.npz"
    # Another process writes it, and tells this one nothing.
    while not kept.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Stopped. The population is kept in r. Continue with:" in out
    assert "tfcourse tune --resume --out r" in out
    before = kept.stat().st_mtime_ns

    process = start("tune", "--resume", "--out", "r", folder=tmp_path)
    while kept.stat().st_mtime_ns == before and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
