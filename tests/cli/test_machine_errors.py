"""What goes wrong with a machine is one sentence, and exit code 2."""

import errno
import os
import subprocess
import sys

import pytest
from damaged.commands import call
from run_folders import make_run

from tfcourse.cli import results
from tfcourse.utils.machine.sentences import machine_error

NUMBERS = (
    *("ENOSPC", "EDQUOT", "EFBIG", "EMFILE", "ENFILE", "EROFS", "EACCES"),
    *("EPERM", "EIO", "ESTALE", "ELOOP", "ENAMETOOLONG", "ENOMEM", "ENOTDIR"),
)


class ResourceExhaustedError(Exception):
    """As TensorFlow calls it."""


def errors():
    for name in NUMBERS:
        number = getattr(errno, name)
        words = os.strerror(number)
        yield OSError(number, words, "/a/[b]"), f"/a/[b] cannot.*{words}"
        yield OSError(number, words), words
        yield OSError(f"HDF5 (errno = {number}, name = '/a/b')"), "/a/b"
    yield (
        FileNotFoundError(
            errno.ENOENT, "No usable temporary directory found in ['/tmp']"
        ),
        "TMPDIR",
    )
    yield MemoryError(), "memory"
    yield ResourceExhaustedError("OOM when allocating"), "memory"
    yield ModuleNotFoundError("No module", name="tensorflow.x"), "tensorflow"


@pytest.mark.parametrize("error, words", [*errors()])
def test_each_is_a_sentence(monkeypatch, tmp_path, error, words):
    def fail(folder):
        try:
            raise error
        except type(error) as cause:
            raise RuntimeError("on top of it") from cause

    monkeypatch.setattr(results, "_read", fail)
    code, out, err = call("best", tmp_path)

    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert words.split(".*")[-1] in err
    assert words.split(".*")[0] in err


def test_a_traceback_is_there_with_verbose_only(monkeypatch, tmp_path):
    def fail(folder):
        raise ZeroDivisionError("not foreseen")

    monkeypatch.setattr(results, "_read", fail)
    code, _, err = call("best", tmp_path)
    assert code == 1
    assert err.count("\n") == 1
    assert "ZeroDivisionError: not foreseen" in err

    for words in (["--verbose", "best"], ["best", "--verbose"]):
        _, _, err = call(*words, tmp_path)
        assert err.startswith("Traceback")


@pytest.mark.parametrize(
    "error", [ValueError("errno = 28"), OSError("odd"), RuntimeError()]
)
def test_others_are_not_the_machine_s(error):
    assert machine_error(error) is None


@pytest.mark.parametrize(
    "name, words",
    [("jaxx", "does not run"), ("torch", "does not run"), ("jax", None)],
)
def test_a_backend_that_is_not_there(monkeypatch, tmp_path, name, words):
    monkeypatch.setenv("KERAS_BACKEND", name)
    if words is None:
        words = "not installed"
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err = call("best", tmp_path)

    assert code == 2
    assert f"KERAS_BACKEND is {name!r}" in err
    assert words in err


def shell(command, folder):
    source = "from tfcourse.cli import main; main()"
    return subprocess.run(
        ["bash", "-c", command.format(f"{sys.executable} -c '{source}'")],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="the streams are POSIX's")
@pytest.mark.parametrize(
    "command, code, out, err",
    [
        ("{} trials run --csv >&-", 0, 0, ""),
        ("{} trials run --csv 2>&-", 0, 13, ""),
        ("{} trials none 2>&-", 2, 0, ""),
        ("{} trials run --csv | head -1", 0, 1, ""),
        ("{} trials run >/dev/full", 2, 0, "No space left on device"),
        ("{} best run 2>/dev/full", 0, 9, ""),
        ("{} best none 2>/dev/full", 2, 0, ""),
    ],
)
def test_streams_that_are_closed_or_full(tmp_path, command, code, out, err):
    make_run(tmp_path / "run", 12)
    done = shell(command, tmp_path)

    assert done.returncode == code, done
    assert done.stdout.count("\n") == out or out == 9
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert (err in done.stderr) if err else not done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="links are POSIX's")
@pytest.mark.parametrize("words", [["best"], ["trials"], ["panda", "status"]])
@pytest.mark.parametrize("path", ["loop", "long", "file/below"])
def test_paths_that_cannot_be(tmp_path, words, path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    folder = tmp_path / {"long": "x" * 300}.get(path, path)
    code, out, err = call(*words, folder)

    assert (code, out) == (2, "")
    assert str(folder) in err
    assert err.count("\n") == 1


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="root may read and write everything",
)
def test_a_file_that_may_not_be_read(tmp_path):
    run = make_run(tmp_path / "run", 3)
    (run / "run.json").chmod(0)
    code, _, err = call("best", run)

    assert code == 2
    assert "run.json cannot be read or written: Permission denied" in err
