"""Gives a script a process of its own, and waits for it."""

import contextlib
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable

from tfcourse.errors import InputError
from tfcourse.tf1_runner.source.detect_tf1 import is_tensorflow_1
from tfcourse.tf1_runner.source.program import read_sources

MNIST = ("files", "digits")
STAND_INS = ("cifar", "text", "housing")
_ENDINGS = ("SIGTERM", "SIGHUP")
# What became of Keras 2, `tf.contrib` and `tf.estimator`.
_PARTS = ("tf_keras", "tf_slim", "tensorflow_estimator")
# A matplotlib backend.
FIGURES = "module://tfcourse.tf1_runner.environment.matplotlib_backend"


def run_script(
    path: str | os.PathLike,
    argv: Iterable[object] = (),
    *,
    mnist: str = "files",
    stand_ins: Iterable[str] = (),
    figures: str | os.PathLike | None = None,
    full_traceback: bool = False,
) -> int:
    r"""Runs a TensorFlow 1 script or notebook, unmodified, and waits for it.

    It runs in a process of its own, as `python SCRIPT ARGV` would run it: the
    same working directory (a notebook's is its own folder, as in Jupyter),
    `__main__`, `sys.argv`, and the folder of the script first on `sys.path`.
    In that process `import tensorflow` yields the TensorFlow 1 API with what it
    has lost put back; the calling process is not touched. A script that is not
    of TensorFlow 1 runs as it is.

    Args:
        path: A `.py` or `.ipynb` file.
        argv: The arguments of the script.
        mnist: Where `input_data.read_data_sets` finds MNIST: in `"files"`, or
            `"digits"` for scikit-learn's digits scaled to 28 by 28.
        stand_ins: Which other data are made up, small: `"cifar"`, `"text"`
            (IMDB, Reuters) and `"housing"` (Boston), of Keras's and
            scikit-learn's data sets.
        figures: The folder for matplotlib's figures where there is no screen.
            By default `NAME-figures` beside the script.
        full_traceback: Whether an error shows the lines of libraries, too.

    Returns:
        The exit code of the script: 0, what it gave to `sys.exit`, 1 after a
        traceback, 130 after Ctrl-C, 143 after SIGTERM, which is passed on.

    Raises:
        InputError: If the script cannot be read.
    """
    data = _checked_data("run_script", mnist, stand_ins)
    path = pathlib.Path(path)
    beside = path.with_name(f"{path.stem}-figures")
    figures = pathlib.Path(figures or beside).absolute()
    settings = {
        "figures": str(figures),
        "full_traceback": full_traceback,
    }
    return _launch("run", path, argv, **data, **settings)


def check_script(
    path: str | os.PathLike,
    argv: Iterable[object] = (),
    *,
    mnist: str = "files",
    stand_ins: Iterable[str] = (),
) -> int:
    """Prints every TensorFlow 1 name that a script uses and how it is served.

    Nothing of the script runs. Each line has the line of the script (and the
    cell of a notebook), the name, and one of *as is*, *put back*, *missing* or
    *note*, the last two with what is to be known, or written instead. Missing
    are also packages, modules, files, arguments of the script and names that it
    gives no meaning, where its text leaves no doubt of them.

    Args:
        path: A `.py` or `.ipynb` file.
        argv: The arguments that the script would be given.
        mnist: As in `run_script`.
        stand_ins: As in `run_script`.

    Returns:
        0 if nothing is missing, else 1.
    """
    data = _checked_data("check_script", mnist, stand_ins)
    return _launch("check", pathlib.Path(path), argv, **data)


def _checked_data(caller, mnist, stand_ins):
    if mnist not in MNIST:
        raise ValueError(
            f"`mnist` of {caller} must be one of {MNIST}. Received: "
            f"mnist={mnist!r}"
        )
    stand_ins = [*stand_ins]
    if {*stand_ins} - {*STAND_INS}:
        raise ValueError(
            f"`stand_ins` of {caller} must be of {STAND_INS}. Received: "
            f"stand_ins={tuple(stand_ins)!r}"
        )
    return {"mnist": mnist, "stand_ins": stand_ins}


def _launch(task, path, argv, **settings):
    sources = read_sources(path)
    old = is_tensorflow_1(sources, path.parent)
    if old:
        _require_parts()
    settings |= {"task": task, "path": str(path), "tensorflow_1": old}
    command = [
        sys.executable,
        "-P",  # The script's folder comes first on the path, not this one.
        "-m",
        "tfcourse.tf1_runner.process",
        json.dumps(settings),
        *map(str, argv),
    ]
    return _wait(subprocess.Popen(command, env=_environment(old)))


def _require_parts():
    """Raises unless all is installed that old scripts run on."""
    missing = [name for name in _PARTS if not importlib.util.find_spec(name)]
    if missing:
        raise InputError(
            f"Scripts of TensorFlow 1 need {', '.join(missing)}, which only "
            "they need. Install: python -m pip install 'tfcourse[v1]'"
        )


def _wait(process):
    """Returns the exit code; Ctrl-C is the script's to handle, not ours."""
    with _passing_on_signals(process):
        return _code_of(process)


@contextlib.contextmanager
def _passing_on_signals(process):
    """Lets what is to end us end the script, which may do it in its own way."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread can hear signals.
        return

    def pass_on(number, frame):
        process.send_signal(number)

    names = [name for name in _ENDINGS if hasattr(signal, name)]
    numbers = [getattr(signal, name) for name in names]
    heard = [n for n in numbers if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, pass_on) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _code_of(process):
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # A terminal has sent it to the script as well.
            if not _has_terminal():
                process.send_signal(signal.SIGINT)
            continue
        # A script that a signal ended: what a shell would report.
        return code if code >= 0 else 128 - code


def _has_terminal():
    try:
        os.close(os.open(os.ctermid(), os.O_RDWR))
    except (AttributeError, OSError):
        return False
    return True


def _environment(old):
    new = dict(os.environ)
    if old:
        new["TF_USE_LEGACY_KERAS"] = "1"
        # The kernels of TensorFlow 1: those of oneDNN round differently.
        new.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        new.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not _has_screen():
        new.setdefault("MPLBACKEND", FIGURES)
    return new


def _has_screen():
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
