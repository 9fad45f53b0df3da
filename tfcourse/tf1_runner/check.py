"""Lists the names of a program and how each will be served."""

import dataclasses
import importlib
import inspect
import pathlib
import warnings

from tfcourse.tf1_runner.advice import advise, missing_module
from tfcourse.tf1_runner.checking.arguments import refused
from tfcourse.tf1_runner.checking.methods import put_back
from tfcourse.tf1_runner.checking.notes import notes_on_text, notes_on_uses
from tfcourse.tf1_runner.imports.module_names import PYTHON_2
from tfcourse.tf1_runner.imports.symbol_names import RENAMED
from tfcourse.tf1_runner.patches import apply_patches
from tfcourse.tf1_runner.patches.libraries import added
from tfcourse.tf1_runner.source.local_modules import (
    is_local,
    uses_with_helpers,
)
from tfcourse.tf1_runner.source.program import Source

# Each name of the first is a line; of the others what is not as it is.
_TENSORFLOW = ("tf", "keras")
_LIBRARIES = ("np", "pandas", "matplotlib", "mpl_toolkits", "scipy", "sklearn")


@dataclasses.dataclass(frozen=True)
class _Row:
    where: str
    name: str
    kind: str
    remark: str = ""


def print_check(
    sources: list[Source], folder: pathlib.Path, tensorflow_1: bool
) -> int:
    """Prints a line for each name of a program; returns the exit code."""
    found = list(uses_with_helpers(sources, folder))
    if not tensorflow_1:
        print("Not a TensorFlow 1 script: it runs as it is.")
        return _print_missing_packages(found, folder)
    apply_patches()
    rows = [*_rows(found, folder), *_rows_of_text(found)]
    counts = dict.fromkeys(("as is", "put back", "missing", "note"), 0)
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        counts[row.kind] += 1
        print(f"{row.where}: {row.name:{width}} {row.kind}{row.remark}")
    if not counts["note"]:
        del counts["note"]
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if counts["missing"] else 0


def _print_missing_packages(found, folder):
    missing = set()
    for source, uses in found:
        for use in uses:
            name = use.name.partition(".")[0]
            root = _ROOTS.get(name, name)
            wanted = use.is_import and not use.is_guarded
            if wanted and not is_local(root, folder) and not _is_there(root):
                missing.add((f"{source.name}:{use.line}", root))
    for where, root in sorted(missing):
        print(f"{where}: {root} missing: {missing_module(root, folder)}")
    return 1 if missing else 0


def _rows(found, folder):
    """Yields a row for each name, where it first stands; those asked for."""
    seen = set()
    all_uses = [(source, use) for source, uses in found for use in uses]
    names = {use.name for _, use in all_uses}
    for source, use in all_uses:
        where = f"{source.name}:{use.line}"
        # `from tensorflow.contrib import rnn`: the second name says it all.
        whole = (
            use.is_import
            and f"{use.name}.".startswith(_OF_LIBRARIES)
            and any(n.startswith(f"{use.name}.") for n in names)
        )
        if (
            use.name not in seen
            and not whole
            and not is_local(use.name, folder)
        ):
            seen.add(use.name)
            yield from _rows_of_name(use, where, folder)
        yield from _rows_of_arguments(use, where, seen)
    for source, uses in found:
        for line, name, note in notes_on_uses(uses):
            if (name, note) not in seen:
                seen.add((name, note))
                yield _Row(f"{source.name}:{line}", name, "note", f": {note}")


def _rows_of_name(use, where, folder):
    root = use.name.partition(".")[0]
    if root in _TENSORFLOW or root in _LIBRARIES:
        kind, remark = _served(use.name)
        hidden = kind == "as is" and root not in _SHOWN
        if not hidden and not (kind == "missing" and use.is_guarded):
            yield _Row(where, use.name, kind, remark)
    elif use.name in PYTHON_2:
        yield _Row(where, use.name, "put back", " (Python 2)")
    elif use.is_import and not use.is_guarded and not _is_there(root):
        yield _Row(where, root, "missing", f": {missing_module(root, folder)}")


def _rows_of_arguments(use, where, seen):
    if not use.keywords or not use.name.startswith(_OF_LIBRARIES):
        return
    value = _found(use.name)
    for argument in refused(value, use.keywords) if value else ():
        name = f"{use.name}({argument}=)"
        if name not in seen:
            seen.add(name)
            yield _Row(
                where, name, "missing", ": this argument no longer exists"
            )


def _rows_of_text(found):
    seen = set()
    for source, _ in found:
        for line, name, note in notes_on_text(source):
            if (name, note) in seen:
                continue
            seen.add((name, note))
            kind = "missing" if name == "syntax" else "note"
            yield _Row(f"{source.name}:{line}", name, kind, f": {note}")
        try:
            tree = source.parse()
        except SyntaxError:
            continue
        for line, name, whose in put_back(tree):
            if name not in seen:
                seen.add(name)
                where = f"{source.name}:{line}"
                yield _Row(where, name, "put back", f" ({whose})")


def _is_there(module):
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _served(name):
    """Returns how a name is served, and a remark on it."""
    if not _resolves(name):
        return "missing", f": {advise(name)}"
    by = _put_back_by(name)
    return ("put back", f" ({by})") if by else ("as is", "")


def _resolves(name):
    """Returns whether a name leads to something, as far as can be followed."""
    return _found(name) is not None


def _found(name):
    """Returns what a name leads to, or None; of an object, the object."""
    root, *parts = name.split(".")
    path = _ROOTS.get(root, root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = importlib.import_module(path)
        except ImportError:
            return None
        for part in parts:
            if not (inspect.ismodule(value) or inspect.isclass(value)):
                return _SOMETHING  # Its attributes are the script's affair.
            path = f"{path}.{part}"
            try:
                value = getattr(value, part)
            except AttributeError:
                try:
                    value = importlib.import_module(path)
                except ImportError:
                    return None
            except ImportError:
                return None  # A name that only explains why it is gone.
    return _SOMETHING if value is None else value


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
    last = ".".join(name.split(".")[-2:])
    if short in signatures.NAMES or {name, last} & added.PUT_BACK:
        return "tfcourse"
    return ""


class _Something:
    """What is there, and of which no more is known."""


_SOMETHING = _Something()
_ROOTS = {"tf": "tensorflow", "np": "numpy"}
_SHOWN = (*_TENSORFLOW, "np")
_OF_LIBRARIES = tuple(f"{name}." for name in (*_TENSORFLOW, *_LIBRARIES))
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
    "sklearn.cross_validation": "tfcourse",
    "sklearn.grid_search": "tfcourse",
}
