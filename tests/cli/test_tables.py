"""Tables on the command line: alike for all commands, refused at once."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

# Whoever imports one of these would fail, and print a traceback.
_LIGHT = """
import sys
sys.modules.update(dict.fromkeys(["tensorflow", "keras", "keras_tuner"]))
from tfcourse.cli import main
main()
"""


def run(*arguments, folder, code="from tfcourse.cli import main; main()"):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


def pretend_model(folder):
    """Writes what tells commands of a model, without the model."""
    (folder / "m" / "assets.extra").mkdir(parents=True)
    (folder / "m" / "saved_model.pb").touch()
    columns = [
        {"name": "u", "kind": "number", "input": "u", "gaps": False},
        {"name": "v", "kind": "number", "input": "v", "gaps": False},
    ]
    metadata = {"labels": ["a", "b"], "columns": columns}
    path = folder / "m" / "assets.extra" / "tfcourse.json"
    path.write_text(json.dumps(metadata))


ROWS = "".join(f"{n % 5},{n * n},{'ab'[n % 2]}\n" for n in range(30))
BAD = {
    "too long": ("u,v,y\n" + ROWS + "1,2,5,a\n", "line 32 has 4 fields, not 3"),
    "twice": ("u,u,y\n" + ROWS, "has column 'u' more than once"),
    "encoding": ("ü,v,y\n" + ROWS, "cannot be read as text in utf-8"),
    "infinite": ("u,v,y\n" + ROWS + "1,inf,a\n", "line 32 has 'inf' in"),
    "no target": ("u,v,y\n" + ROWS + "1,2,\n", "line 32 has no value in"),
    "empty": ("", "is empty. Its first line must name the columns"),
    "header only": ("u,v,y\n", "has no rows below its header"),
}


# Four processes each; what one module reads is tested there.
QUICK = ("too long", "no target")
CASES = [
    pytest.param(*case, marks=[] if name in QUICK else [pytest.mark.slow])
    for name, case in BAD.items()
]


@pytest.mark.parametrize("text, message", CASES, ids=BAD)
def test_all_refuse_a_file_alike_before_tensorflow_loads(
    tmp_path, text, message
):
    (tmp_path / "t.csv").write_bytes(text.encode("cp1252"))
    pretend_model(tmp_path)
    commands = (
        ["tune", "--data", "t.csv", "--target", "y", "--out", "r"],
        ["train", "--data", "t.csv", "--target", "y", "--out", "r"],
        ["predict", "m", "t.csv"],
        ["evaluate", "m", "t.csv", "--target", "y"],
    )
    for command in commands:
        if command[0] == "predict" and message.endswith("no value in"):
            continue  # There need be no target.
        code, out, err = run(*command, folder=tmp_path, code=_LIGHT)

        assert (code, out) == (2, ""), err
        assert message in err
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m", "t.csv"]


@pytest.fixture
def german(tmp_path):
    rng = np.random.default_rng(2)
    m = 90
    frame = pd.DataFrame(
        {
            "id": range(m),
            "größe": rng.normal(size=m).round(3),
            "ort": rng.choice(["Köln", "Bonn"], m),
        }
    )
    frame["preis"] = (3 * frame["größe"] + (frame["ort"] == "Bonn")).round(2)
    frame.to_csv(tmp_path / "t.csv", sep=";", decimal=",", index=False)
    return frame


@pytest.mark.slow
@pytest.mark.parametrize("target", ["preis", "ort"])
def test_a_table_from_start_to_use(tmp_path, german, target):
    options = ["--trials", 2, "--epochs", 2, "--out", "r"]
    command = ["tune", "--data", "t.csv", "--target", target, *options]
    code, out, err = run(*command, folder=tmp_path)

    assert code == 0, err
    said = "Read as text separated by semicolon, with decimal commas."
    assert said in err
    assert "Left out: 'id' counts the rows." in err
    score = "R² " if target == "preis" else r"accuracy +"
    assert re.search(rf"test +{score}-?\d", out)
    assert re.search(r"test (R²|accuracy): (mean|majority) ", out)
    assert "preis' is a number: regression" in err or target == "ort"
    page = (tmp_path / "r" / "report.html").read_text()
    assert ("R² on the test set" in page) == (target == "preis")

    # In a process of its own, which knows no layer before it loads one.
    code, _, err = run("export", "r", "--to", "m", "--fold", folder=tmp_path)
    assert code == 0, err
    code, _, err = run("train", "--from", "r", "--out", "t", folder=tmp_path)
    assert code == 0, err
    for model in ("r/model", "t/model", "m"):
        code, out, err = run("predict", model, "t.csv", folder=tmp_path)
        assert code == 0, err
        assert err.startswith(said)
        assert len(out.splitlines()) == 91
        command = ["evaluate", model, "t.csv", "--target", target]
        code, out, err = run(*command, folder=tmp_path)
        assert code == 0, err
        assert out.startswith("R² " if target == "preis" else "accuracy ")
        assert "on 90 examples" in out
