"""The command line, in processes of its own, as a user meets it."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

import tfcourse

COMMANDS = (
    "tune",
    "retest",
    "predict",
    "evaluate",
    "export",
    "inspect",
    "data",
    "doctor",
)


def start(*arguments, folder, columns="80"):
    return subprocess.Popen(
        [sys.executable, "-c", "from tfcourse.cli import main; main()"]
        + [str(argument) for argument in arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": columns},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments, folder, columns="80"):
    process = start(*arguments, folder=folder, columns=columns)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def test_version(tmp_path):
    assert run("--version", folder=tmp_path) == (
        0,
        f"tfcourse {tfcourse.__version__}\n",
        "",
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(tmp_path, command):
    code, out, _ = run(command, "--help", folder=tmp_path)

    assert code == 0
    assert f"Example: tfcourse {command}" in out


def test_help_names_every_command(tmp_path):
    code, out, _ = run("--help", folder=tmp_path)

    assert code == 0
    for command in COMMANDS:
        assert re.search(rf"^│ {command} +\S", out, re.MULTILINE)


def test_data_lists_the_bundled_sets(tmp_path):
    code, out, err = run("data", folder=tmp_path, columns="200")

    assert (code, err) == (0, "")
    assert re.search(r"digits +1,797 +64 +10 +Scanned", out)


@pytest.mark.slow
def test_doctor_finds_this_machine_fit(tmp_path):
    code, out, err = run("doctor", folder=tmp_path)

    assert (code, err) == (0, "")
    for line in ("Python +3", "tensorflow +2", "Keras backend +tens", "Memory"):
        assert re.search(rf"^ ok +{line}", out, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["tune", "--data", "digit"], "Did you mean 'digits'?"),
        (["tune", "--data", "none.csv"], "There is no file"),
        (["tune", "--resume"], "--resume needs the folder"),
        (["tune", "--resume", "--out", "none"], "no run in none"),
        (["tune", "--trials", "0"], "--trials must be 1 or more"),
        (["tune", "--trials", "2", "--rounds", "5"], "from 1 to --trials 2"),
        (["predict", "none", "none.csv"], "none is not a SavedModel"),
        (["inspect", "none"], "none is not a SavedModel"),
        (["export", "none", "--to", "m"], "none is not a Keras model"),
        (
            ["tune", "--data", "iris", "--out", "/proc/none"],
            "/proc/none cannot be read or written",
        ),
    ],
)
@pytest.mark.slow
def test_bad_input_is_one_sentence_and_exit_2(tmp_path, arguments, message):
    code, out, err = run(*arguments, folder=tmp_path)

    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["tune", "--trials", "x"], ["tone"]])
def test_unknown_word_exits_2(tmp_path, arguments):
    code, _, err = run(*arguments, folder=tmp_path)

    assert code == 2
    assert "Traceback" not in err


SMALL = ["tune", "--data", "iris", "--trials", "3", "--epochs", "2"]


def scores(folder):
    """Returns the table of a run without its times."""
    lines = (folder / "trials.csv").read_text().splitlines()
    column = lines[0].split(",").index("seconds")
    cells = [line.split(",") for line in lines]
    return [row[:column] + row[column + 1 :] for row in cells]


@pytest.mark.slow
def test_tune_from_start_to_use(tmp_path):
    code, out, err = run(*SMALL, "--out", "r", folder=tmp_path)

    assert code == 0, err
    # Nothing of TensorFlow's reaches the terminal.
    assert re.fullmatch(r"Searching iris.*\n(trial \d/3 .* left\n){3}", err)
    assert re.search(r"trials +3 completed", out)
    assert re.search(r"test accuracy +0\.\d{4}", out)
    following = re.search(r"^  tfcourse (.*)$", out, re.M).group(1).split()
    code, out, err = run(*following, folder=tmp_path)
    assert code == 0
    assert err == (
        "Copied unchanged, since the model has no such columns: class\n"
    )
    assert out.startswith("class,predicted,probability\n")
    assert len(out.splitlines()) == 21
    labelled = ["r/model", "r/examples.csv", "--target", "class"]
    code, out, err = run("evaluate", *labelled, folder=tmp_path)
    assert (code, err) == (0, "")
    assert re.match(r"accuracy [01]\.\d{4} on 20 examples", out)
    code, out, err = run("export", "r", "--to", "m", "--fold", folder=tmp_path)
    assert (code, err) == (0, "")
    code, out, err = run("inspect", "m", folder=tmp_path)
    assert (code, err) == (0, "")
    assert re.search(r"classify +takes +features +float32 +\(any, 4\)", out)


@pytest.mark.slow
def test_killed_at_any_moment_goes_on(tmp_path):
    code, _, err = run(*SMALL, "--out", "whole", "--quiet", folder=tmp_path)
    assert (code, err) == (0, "")

    # Killed as soon as a file of each kind is there: at the first draw, after
    # a checkpoint, after a trial.
    moments = ["run.json", "search/trial_0/checkpoint.weights.h5", "trials.csv"]
    go_on = []
    for moment in moments:
        process = start(*SMALL, *go_on, "--out", "broken", folder=tmp_path)
        while not (tmp_path / "broken" / moment).exists():
            assert process.poll() is None
        process.kill()
        process.communicate()
        go_on = ["--resume"]
    code, _, err = run("tune", "--resume", "--out", "broken", folder=tmp_path)

    assert code == 0, err
    assert scores(tmp_path / "broken") == scores(tmp_path / "whole")


@pytest.mark.slow
def test_interrupt_keeps_what_is_finished(tmp_path):
    process = start(*SMALL, "--out", "r", folder=tmp_path)
    while not (tmp_path / "r" / "trials.csv").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "tfcourse tune --resume --out r" in out
    assert "Traceback" not in err
    assert scores(tmp_path / "r")[1][1] == "completed"
    code, out, _ = run("tune", "--resume", "--out", "r", folder=tmp_path)
    assert code == 0
    assert pathlib.Path(tmp_path, "r", "report.html").exists()


def test_the_package_is_the_command():
    words = [sys.executable, "-m", "tfcourse", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[0] == "tfcourse"
