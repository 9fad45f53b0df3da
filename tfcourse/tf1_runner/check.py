"""Lists the TensorFlow 1 names of a program and how each will be served."""

import importlib
import inspect
import pathlib

from tfcourse.tf1_runner.imports.symbol_names import RENAMED
from tfcourse.tf1_runner.patches import apply_patches
from tfcourse.tf1_runner.patches.libraries import added
from tfcourse.tf1_runner.source.local_modules import uses_with_helpers
from tfcourse.tf1_runner.source.program import Source

_LIBRARIES = ("tf", "np", "scipy.misc", "scipy.ndimage", "keras")


def print_check(
    sources: list[Source], folder: pathlib.Path, tensorflow_1: bool
) -> int:
    """Prints a line for each name of a program; returns the exit code."""
    if not tensorflow_1:
        print("Not a TensorFlow 1 script: it runs as it is.")
        return 0
    uses = _uses(sources, folder)
    apply_patches()
    counts = {"as is": 0, "put back": 0, "missing": 0}
    width = max((len(name) for name in uses), default=0)
    for name, where in uses.items():
        kind, remark = _served(name)
        counts[kind] += 1
        print(f"{where}: {name:{width}} {kind}{remark}")
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if counts["missing"] else 0


def _uses(sources, folder):
    """Returns each name once, with the place where it first stands."""
    found = {}
    for source, uses in uses_with_helpers(sources, folder):
        for use in uses:
            if use.name.startswith(tuple(f"{name}." for name in _LIBRARIES)):
                found.setdefault(use.name, f"{source.name}:{use.line}")
    return found


def _served(name):
    """Returns how a name is served, and a remark on it."""
    from tfcourse.tf1_runner.advice import advise

    if not _resolves(name):
        return "missing", f": {advise(name)}"
    by = _put_back_by(name)
    return ("put back", f" ({by})") if by else ("as is", "")


def _resolves(name):
    """Returns whether a name leads to something, as far as can be followed."""
    root, *parts = name.split(".")
    path = _ROOTS.get(root, root)
    try:
        value = importlib.import_module(path)
    except ImportError:
        return False
    for part in parts:
        if not (inspect.ismodule(value) or inspect.isclass(value)):
            return True  # An object's own attributes are the script's affair.
        path = f"{path}.{part}"
        if hasattr(value, part):
            value = getattr(value, part)
            continue
        try:
            value = importlib.import_module(path)
        except ImportError:
            return False
    return True


def _put_back_by(name):
    """Returns who serves a name that TensorFlow 2 has not, or an empty text."""
    from tfcourse.tf1_runner.patches import signatures

    short = name.removeprefix("tf.")
    if short in RENAMED:
        return f"tf.{RENAMED[short]}"
    for start, by in _BY.items():
        if f"{name}.".startswith(f"{start}."):
            return by
    # A library is changed when it is imported, which may just have happened.
    if short in signatures.NAMES or name in added.PUT_BACK:
        return "tfcourse"
    return ""


_ROOTS = {"tf": "tensorflow", "np": "numpy"}
# Who serves the names that begin so; the first that fits counts.
_BY = {
    "tf.contrib.slim": "tf-slim",
    "tf.contrib.layers": "tf-slim",
    "tf.contrib.framework": "tf-slim",
    "tf.contrib": "tfcourse",
    "tf.examples": "tfcourse",
    "tf.estimator": "tensorflow-estimator",
    "tf.layers": "tf-keras",
    "tf.nn.rnn_cell": "tf-keras",
    "tf.keras": "tf-keras",
    "tf.models": "tfcourse",
    "keras": "tf-keras",
    "scipy.misc": "tfcourse",
}
