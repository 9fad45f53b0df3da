"""The script's process: is it as Python would have it?"""

import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import pytest

from tfcourse.errors import InputError
from tfcourse.tf1_runner import check_script, launch, run_script


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    return tmp_path


def script(path, source):
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(source))
    return path.relative_to(pathlib.Path.cwd())


def notebook(path, *cells):
    path.parent.mkdir(exist_ok=True)
    cells = [{"cell_type": "code", "source": textwrap.dedent(c)} for c in cells]
    path.write_text(json.dumps({"cells": cells}))
    return path.relative_to(pathlib.Path.cwd())


def test_arguments_folders_and_exit_code_are_those_of_python(folder, capfd):
    (folder / "sub").mkdir()
    (folder / "sub" / "helper.py").write_text("VALUE = 5")
    path = script(
        folder / "sub" / "a.py",
        """\
        import os, sys
        import helper
        print([__name__, __file__, sys.argv, os.getcwd(), helper.VALUE])
        sys.exit(7)
        """,
    )

    code = run_script(path, ["--lr", "0.1"])

    expected = ["__main__", str(path), [str(path), "--lr", "0.1"]]
    assert code == 7
    assert capfd.readouterr().out == f"{[*expected, str(folder), 5]}\n"


def test_a_traceback_has_the_lines_of_the_script(folder, capfd):
    path = script(folder / "a.py", "def f():\n    return 1 / 0\n\n\nf()\n")

    code = run_script(path)

    error = capfd.readouterr().err
    assert code == 1
    assert 'File "a.py", line 5, in <module>\n    f()' in error
    assert 'File "a.py", line 2, in f\n    return 1 / 0' in error
    assert "runner" not in error


def test_a_notebook_shows_values_and_names_the_cell_that_fails(folder, capfd):
    path = notebook(
        folder / "sub" / "a.ipynb",
        "%matplotlib inline\nfrom __future__ import division\nimport os\nx = 3",
        "print(os.path.basename(os.getcwd()))\nx + 1",
        "x;",
        "y = 1\nraise KeyError(x)",
    )

    code = run_script(path)

    out, error = capfd.readouterr()
    assert code == 1
    assert out == "sub\n4\n"
    assert f'File "{path}, cell 4", line 2, in <module>' in error


def test_python_2_is_told_what_it_is(folder, capfd):
    code = run_script(script(folder / "a.py", "print 'hello'\n"))

    assert code == 1
    assert "this was written for Python 2" in capfd.readouterr().err


def test_figures_are_saved_where_there_is_no_screen(folder, capfd):
    path = script(
        folder / "sub" / "a.py",
        """\
        import matplotlib
        matplotlib.use("TkAgg")
        import matplotlib.pyplot as plt
        plt.plot([1, 2])
        plt.show()
        plt.ion()
        for x in range(3):
            plt.plot([x, x])
            plt.pause(10)
        """,
    )

    assert run_script(path) == 0

    saved = sorted(file.name for file in (folder / "sub/a-figures").iterdir())
    assert saved == ["figure-1.png", "figure-2.png"]
    assert "figure saved to" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize(
    "source, code, said",
    [
        ("print('ready', flush=True)\ntime.sleep(60)", 130, "Interrupted in"),
        (
            "try:\n    print('ready', flush=True)\n    time.sleep(60)\n"
            "except KeyboardInterrupt:\n    print('handled')",
            0,
            "handled",
        ),
    ],
    ids=["uncaught", "caught"],
)
def test_an_interrupt_reaches_the_script_and_leaves_no_traceback(
    folder, source, code, said
):
    path = script(folder / "a.py", f"import time\n{source}\n")
    # Tests that run in the background, and their children, ignore interrupts.
    runner = f"""
import signal, sys
from tfcourse.tf1_runner import run_script
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run_script('{path}'))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", runner],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "ready\n"

    os.killpg(process.pid, signal.SIGINT)  # As a terminal sends it: to both.

    output, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert said in output
    assert "Traceback" not in output


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize(
    "handler, code, said",
    [
        ("SIG_DFL", 143, ""),
        ("lambda *_: sys.exit(print('saved') or 3)", 3, "saved\n"),
    ],
    ids=["uncaught", "caught"],
)
def test_a_termination_reaches_the_script(folder, handler, code, said):
    handler = handler.replace("SIG_DFL", "signal.SIG_DFL")
    path = script(
        folder / "a.py",
        f"""\
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, {handler})
        print(os.getpid(), flush=True)
        time.sleep(60)
        """,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "tfcourse", "run-v1", str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    script_id = int(process.stdout.readline())

    process.terminate()

    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (code, said)
    with pytest.raises(ProcessLookupError):
        os.kill(script_id, 0)


def test_what_follows_the_script_is_the_scripts(folder):
    path = script(folder / "a.py", "import sys\nprint(sys.argv[1:])\n")

    def run(*arguments):
        command = [sys.executable, "-m", "tfcourse", "run-v1", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60
        )

    own = ["--mnist", "x", "--help", "--check", "-h"]
    done = run("--mnist", "digits", str(path), *own)
    wrong = run("--mnst", "digits", str(path))

    assert (done.returncode, done.stdout) == (0, f"{own}\n")
    assert wrong.returncode == 2
    assert "No such option: --mnst" in wrong.stderr


def test_a_script_that_is_not_tensorflow_1_is_left_alone(folder, capfd):
    path = script(
        folder / "a.py",
        """\
        import os, sys
        import numpy as np
        print(hasattr(np, "float"), "tensorflow" in sys.modules)
        print("TF_USE_LEGACY_KERAS" in os.environ, [np.float32(1)])
        """,
    )

    assert run_script(path) == 0
    assert check_script(path) == 0

    out = capfd.readouterr().out
    assert out.startswith("False False\nFalse [np.float32(1.0)]\nNot a TensorF")


def test_the_check_says_how_each_name_is_served(folder, capfd):
    script(folder / "utils.py", "import tensorflow as tf\ntf.mul(1, 2)\n")
    path = script(
        folder / "a.py",
        """\
        import utils
        import tensorflow as tf
        from tensorflow.contrib.timeseries import ARRegressor
        raise SystemExit("the check must not run this")
        tf.placeholder(tf.float32)
        tf.contrib.layers.flatten(tf.layers.dense)
        tf.sub(1, 2)
        tf.contrib.rnn.TimeFreqLSTMCell
        tf.estimator.Estimator
        """,
    )

    code = check_script(path)

    lines = capfd.readouterr().out.splitlines()
    rows = {line.split()[1]: line for line in lines[:-1]}
    assert code == 1
    assert rows["tf.placeholder"].endswith(" as is")
    assert "put back (tf-slim)" in rows["tf.contrib.layers.flatten"]
    assert "put back (tf-keras)" in rows["tf.layers.dense"]
    assert "put back (tf.subtract)" in rows["tf.sub"]
    assert "missing" in rows["tf.contrib.timeseries.ARRegressor"]
    assert "missing" in rows["tf.contrib.rnn.TimeFreqLSTMCell"]
    assert rows["tf.contrib.rnn.TimeFreqLSTMCell"].startswith("a.py:8:")
    assert rows["tf.mul"].startswith("utils.py:2: tf.mul ")
    assert "tensorflow-estimator" in rows["tf.estimator.Estimator"]
    assert lines[-1].endswith("2 missing")


def test_a_missing_name_ends_with_what_to_write_instead(folder, capfd):
    path = script(
        folder / "a.py",
        """\
        import tensorflow as tf
        print(hasattr(tf, "nothing"), hasattr(tf.nn, "nothing"))
        tf.contrib.tensor_forest.python
        """,
    )

    code = run_script(path)

    out, error = capfd.readouterr()
    assert code == 1
    assert out == "False False\n"
    assert "line 3, in <module>" in error
    assert "`tf.contrib.tensor_forest` is not in today's TensorFlow" in error
    assert error.rstrip().endswith("RandomForestClassifier`.")


def test_parts_that_are_not_installed_are_named(folder, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        launch.importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "tf_slim" else find(name, *rest),
    )
    old = script(folder / "old.py", "import tensorflow as tf\ntf.Session()")
    with pytest.raises(InputError, match=r"need tf_slim, .* 'tfcourse\[v1\]'"):
        run_script(old)

    new = script(folder / "new.py", "print('new')")
    assert run_script(new) == 0
