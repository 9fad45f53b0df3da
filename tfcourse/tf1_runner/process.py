"""The script's process: prepares TensorFlow 1 and runs the sources."""

import builtins
import contextlib
import json
import linecache
import os
import pathlib
import re
import sys
import types

from tfcourse.tf1_runner.error_report import ErrorReport
from tfcourse.tf1_runner.launch import FIGURES
from tfcourse.tf1_runner.source.program import read_sources
from tfcourse.tf1_runner.source.search_path import project_folder


def main() -> None:
    settings, *argv = sys.argv[1:]
    settings = json.loads(settings)
    # Only what is of TensorFlow 1 is run as Python 2 would have.
    sources = read_sources(settings["path"], convert=settings["tensorflow_1"])
    if settings["task"] == "check":
        sys.exit(_check(settings, sources, len(argv)))
    _prepare(settings, sources)
    _run(settings, sources, argv)


def _check(settings, sources, given):
    from tfcourse.tf1_runner.check import print_check

    _install_data(settings, sources)
    stand_ins = [*settings["stand_ins"]]
    if settings["mnist"] == "digits":
        stand_ins.append("mnist")
    folder = pathlib.Path(settings["path"]).parent
    old = settings["tensorflow_1"]
    return print_check(sources, folder, old, given, tuple(stand_ins))


def _prepare(settings, sources):
    """Puts in place what the script will meet; before it changes anything."""
    os.environ.setdefault("TFCOURSE_FIGURES", settings["figures"])
    if settings["tensorflow_1"]:
        from tfcourse.tf1_runner.patches import apply_patches

        apply_patches()
    _install_data(settings, sources)
    from tfcourse.tf1_runner.environment import ipython
    from tfcourse.tf1_runner.imports import hooks

    ipython.install()
    if os.environ.get("MPLBACKEND") == FIGURES:
        hooks.after_import({"matplotlib": _keep_the_backend})


def _install_data(settings, sources):
    """Puts small data in the place of what the script would download."""
    from tfcourse.tf1_runner.environment import digits, stand_ins

    if settings["mnist"] == "digits":
        digits.install(_has(sources, rf"\b(55000|60000|70000)\b|{_BEYOND}"))
    many = _has(sources, rf"\b50000\b|{_BEYOND}")
    stand_ins.install(settings["stand_ins"], many)


# What is cut off for validation, of more than there would be.
_BEYOND = r"\[\d{4,5}:|\b(val|dev)\w* *= *\d{4,5}\b"


def _has(sources, pattern):
    return any(re.search(pattern, source.text) for source in sources)


def _keep_the_backend(matplotlib):
    """Makes `matplotlib.use` harmless: a window could not open anyway."""
    matplotlib.use = lambda *args, **kwargs: None


def _run(settings, sources, argv):
    script = pathlib.Path(settings["path"])
    main_module = _main_module(script)
    sys.argv = [settings["path"], *argv]
    folder = str(script.parent.absolute())
    sys.path.insert(0, folder)
    root = _root(sources, script.parent)
    report = ErrorReport(sources, root or folder, settings["full_traceback"])
    with_legacy_semantics = None
    if settings["tensorflow_1"]:
        from tfcourse.tf1_runner.source import rewrite

        with_legacy_semantics = rewrite.install(root or folder, sources)
    if sources and sources[0].is_cell:
        os.chdir(script.parent)  # As Jupyter does.
    try:
        for source in sources:
            with _as_it_once_failed(source):
                tree = source.parse()
                if with_legacy_semantics:
                    tree = with_legacy_semantics(tree)
                _execute(source, tree, main_module.__dict__)
    except KeyboardInterrupt as error:
        _flush()
        print(f"\nInterrupted{report.where(error)}.", file=sys.stderr)
        sys.exit(130)
    except SystemExit:
        raise
    except BaseException as error:
        _flush()
        report.print(error)
        _print_advice(error, folder)
        sys.exit(1)
    finally:
        _finish_figures()


def _root(sources, folder):
    """Adds a folder above the script's to the path if its modules lie there."""
    root = project_folder(sources, folder)
    if root:
        sys.path.append(str(root))
        print(
            f"tfcourse: modules that the script imports lie in {root}, where "
            "they are looked for, too.",
            file=sys.stderr,
        )
    return str(root) if root else None


@contextlib.contextmanager
def _as_it_once_failed(source):
    """Passes over a cell that ends with the error which its output shows."""
    try:
        yield
    except Exception as error:
        if type(error).__name__ != source.failed:
            raise
        _flush()
        print(
            f"tfcourse: {source.name} ends with {source.failed}, as its stored "
            f"output does: {error}. Continuing with the next.",
            file=sys.stderr,
        )


def _main_module(script):
    module = types.ModuleType("__main__")
    module.__file__ = str(script)
    module.__builtins__ = builtins
    sys.modules["__main__"] = module
    return module


def _execute(source, tree, namespace):
    """Runs a script, or a cell, whose last value is shown as Jupyter does."""
    lines = source.text.splitlines(keepends=True)
    linecache.cache[source.name] = (len(source.text), None, lines, source.name)
    if not source.is_cell:
        exec(compile(tree, source.name, "exec"), namespace)
        return
    from tfcourse.tf1_runner.environment import ipython

    ipython.run_cell(source, tree, namespace)
    _finish_figures()


def _finish_figures():
    """Saves what is drawn and not yet shown, where there is no screen."""
    figures = sys.modules.get(
        "tfcourse.tf1_runner.environment.matplotlib_backend"
    )
    if figures:
        figures.save_all()


def _print_advice(error, folder):
    from tfcourse.tf1_runner.advice import advice_for

    advice = advice_for(error, folder)
    if advice:
        print(f"\ntfcourse: {advice}", file=sys.stderr)


def _flush():
    # So that the last prints stand above the traceback, as on a terminal.
    sys.stdout.flush()


if __name__ == "__main__":
    main()
