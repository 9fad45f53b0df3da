"""`tfcourse retest`: what it exits with, says, and leaves as it was."""

import hashlib
import json
import re
import shlex

import numpy as np
import pandas as pd
import pytest

from tests.cli.test_commands import run

SPACE = """
import keras
def build(hp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    rate = hp.Float("learning_rate", 1e-5, 0.5, sampling="log")
    model.compile(keras.optimizers.SGD(rate, clipnorm=10.0), "mse")
    return model
"""


def write(path, seed, scale=1.0, shift=0.0, m=200):
    """Writes amounts; `scale` of one column moves the best learning rate."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(m, 3))
    y = x @ [1.0, -1.0, 0.5] + 0.3 * rng.normal(size=m)
    table = pd.DataFrame(x, columns=list("abc"))
    table["b"] += shift
    table["y"] = y * scale
    table.to_csv(path, index=False)


def digests(folder):
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retest")
    (folder / "space.py").write_text(SPACE)
    write(folder / "old.csv", 0)
    code, _, err = run(
        *("tune", "--data", "old.csv", "--target", "y", "--trials", "8"),
        *("--space", "space.py:build", "--epochs", "4", "--out", "r"),
        *("--task", "regression"),
        folder=folder,
    )
    assert code == 0, err
    return folder


@pytest.mark.slow
def test_examples_of_the_same_kind_exit_with_0(searched):
    write(searched / "same.csv", 1)
    before = digests(searched / "r")
    code, out, err = run("retest", "r", "--data", "same.csv", folder=searched)

    assert (code, err) == (0, "")
    assert "The old choice still holds" in out
    assert "No feature has drifted." in out
    assert "tfcourse tune" not in out
    assert digests(searched / "r") == before


@pytest.mark.slow
def test_a_moved_optimum_exits_with_3_and_says_where_to_search(searched):
    # The old choice is made one that barely learns.
    trials = (searched / "r").rglob("trial.json")
    worst = {}
    for path in trials:
        content = json.loads(path.read_text())
        values = content["hyperparameters"]["values"]
        worst[values["learning_rate"]] = path
    other = searched / "moved"
    run_of = (searched / "r" / "run.json").read_text()
    (other / "search").mkdir(parents=True)
    (other / "run.json").write_text(run_of)
    oracle = searched / "r" / "search" / "oracle.json"
    (other / "search" / "oracle.json").write_text(oracle.read_text())
    lowest = worst[min(worst)]
    target = other / "search" / lowest.parent.name
    target.mkdir()
    for path in lowest.parent.glob("*.json"):
        (target / path.name).write_text(path.read_text())
    write(searched / "new.csv", 1, shift=1.0)

    code, out, err = run(
        "retest", "moved", "--data", "new.csv", "--json", folder=searched
    )
    assert (code, err) == (3, "")
    found = json.loads(out)
    assert found["holds"] is False
    assert found["begin"]["learning_rate"] > min(worst)
    drifted = [d["feature"] for d in found["drifts"] if d["has_drifted"]]
    # The target follows from what has not drifted, in the same way.
    assert drifted == ["b"]
    words = shlex.split(found["command"])
    assert words[:2] == ["tfcourse", "tune"]
    assert words[words.index("--data") + 1].endswith("new.csv")
    rate = found["begin"]["learning_rate"]
    assert words[words.index("--begin") + 1] == f"learning_rate={rate}"

    # The command works, and begins there.
    short = [w for w in words[1:] if w != "8"]
    short[short.index("--trials")] = "--trials=1"
    code, _, err = run(
        *short, "--rounds", "1", "--out", "again", "--quiet", folder=searched
    )
    assert code == 0, err
    _, out, _ = run("best", "again", "--json", folder=searched)
    assert json.loads(out)["learning_rate"] == pytest.approx(rate)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments, message",
    [
        (["none", "--data", "old.csv"], "There is no run in none"),
        (["r", "--data", "none.csv"], "There is no file"),
        (["r", "--data", "iris"], "--target is for tables in files"),
    ],
)
def test_wrong_input_exits_with_2(searched, arguments, message):
    code, out, err = run("retest", *arguments, folder=searched)
    assert (code, out) == (2, "")
    assert re.match("Error: .*\n$", err)
    assert message in err
