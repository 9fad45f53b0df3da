"""The command line in this process, and what each command reads."""

import contextlib
import io
import signal
import sys

import typer.main

from tfcourse import cli
from tfcourse.cli.terminal import quiet

# To wait for a pipe is to wait for ever; a busy machine may take its time.
_SECONDS = 300

# What each command is called with, by the kind of folder that it reads. In
# `{0}` is the damaged folder, in `{1}` an empty one, in `{2}` a whole search.
OF_SEARCHES = {
    "best": [["best", "{0}"], ["best", "{0}", "--json"]],
    "trials": [["trials", "{0}"], ["trials", "{0}", "--csv"]],
    "compare": [["compare", "{0}", "{2}"]],
    "report": [["report", "{0}"]],
    "tune": [["tune", "--resume", "--out", "{0}"]],
    "train": [["train", "--from", "{0}", "--epochs", "1", "--out", "{1}/t"]],
    "retest": [
        ["retest", "{0}", "--data", "iris", "--seeds", "5", "--draws", "0"]
    ],
    "export": [["export", "{0}", "--to", "{1}/m"]],
    "inspect": [["inspect", "{0}/model"]],
    "predict": [["predict", "{0}/model", "{0}/examples.csv"]],
    "evaluate": [
        ["evaluate", "{0}/model", "{0}/examples.csv", "--target", "class"]
    ],
}
OF_TRAININGS = {
    "train": [["train", "--out", "{0}"]],
    "panda status": [["panda", "status", "{0}"]],
    "panda plot": [["panda", "plot", "{0}"]],
    **{
        f"panda {command}": [["panda", command, "{0}", *more]]
        for command, more in {
            "set": ["learning_rate=0.1"],
            "rollback": [],
            "pause": [],
            "resume": [],
            "stop": [],
        }.items()
    },
}
# These read no folder of ours.
OF_NOTHING = {"lecture", "run-v1", "data", "doctor"}


def all_commands():
    """Yields the name of each command, with the group that it is of."""

    def below(command, names):
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(names)
            return
        for name, one in inner.items():
            yield from below(one, [*names, name])

    yield from below(typer.main.get_command(cli.app), [])


def call(*arguments):
    """Runs a command line here; returns its exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.argv, quiet.silence_libraries, signal.getsignal(signal.SIGALRM)
    sys.argv = ["tfcourse", *map(str, arguments)]
    # It would send this process's messages to nowhere.
    quiet.silence_libraries = lambda verbose=False: None
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(_SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as stop:
        return stop.code or 0, out.getvalue(), err.getvalue()
    finally:
        signal.alarm(0)
        sys.argv, quiet.silence_libraries, handler = before
        signal.signal(signal.SIGALRM, handler)
    return 0, out.getvalue(), err.getvalue()


def _hangs(*_):
    raise KeyboardInterrupt(f"It hangs: {sys.argv}")
