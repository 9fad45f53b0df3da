"""How a name of a library is served: as it is, put back, or not at all."""

import functools
import importlib
import importlib.util
import inspect
import warnings

from tfcourse.tf1_runner.advice import advise
from tfcourse.tf1_runner.imports.symbol_names import RENAMED
from tfcourse.tf1_runner.patches.libraries import added

# Each name of the first is a line; of the others what is not as it is.
TENSORFLOW = ("tf", "keras")
LIBRARIES = ("np", "pandas", "matplotlib", "mpl_toolkits", "scipy", "sklearn")


def is_there(module: str) -> bool:
    """Returns whether a module can be imported; it is not."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


@functools.cache
def served(name: str) -> tuple[str, str]:
    """Returns how a name is served, and a remark on it."""
    if lookup(name) is None:
        return "missing", f": {advise(name)}"
    by = _put_back_by(name)
    return ("put back", f" ({by})") if by else ("as is", "")


def lookup(name: str) -> object:
    """Returns what a name leads to, or None; of an object, the object."""
    root, *parts = name.split(".")
    path = ROOTS.get(root, root)
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


def names_by_star(module: str) -> set[str] | None:
    """Returns the names of `from module import *`, or None if not sure.

    Args:
        module: Of a library, with dots. No other is imported.
    """
    if module.partition(".")[0] not in _OF_STARS:
        return None
    try:
        found = importlib.import_module(module)
    except Exception:
        return None
    public = {name for name in dir(found) if not name.startswith("_")}
    return {*getattr(found, "__all__", public)}


_OF_STARS = {
    *("keras", "math", "matplotlib", "numpy", "os", "pylab", "random"),
    *("scipy", "sklearn", "tensorflow", "time"),
}


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
ROOTS = {"tf": "tensorflow", "np": "numpy"}
SHOWN = (*TENSORFLOW, "np")
OF_LIBRARIES = tuple(f"{name}." for name in (*TENSORFLOW, *LIBRARIES))
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
