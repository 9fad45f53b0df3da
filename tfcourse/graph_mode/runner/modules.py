"""Where a module of that time is found now."""

import importlib.machinery
import importlib.util
import sys

_OURS = "tfcourse.graph_mode.runner"
_INPUT_DATA = f"{_OURS}.examples.tutorials.mnist.input_data"
_KERAS = "tf_keras.api._v1.keras"

# The first line that fits the beginning of a name counts.
_MODULES = {
    "tensorflow.examples": f"{_OURS}.examples",
    "tensorflow.estimator": f"{_OURS}.estimator",
    "tensorflow.contrib.distributions": "tensorflow.distributions",
    "tensorflow.contrib.estimator": f"{_OURS}.estimator",
    "tensorflow.contrib.keras": _KERAS,
    "tensorflow.contrib.autograph": "tensorflow.autograph",
    "tensorflow.contrib.signal": "tensorflow.signal",
    "tensorflow.contrib.losses": "tf_slim.losses",
    "tensorflow.contrib.metrics": "tf_slim.metrics",
    "tensorflow.contrib.learn.python.learn.datasets.mnist": _INPUT_DATA,
    "tensorflow.contrib.learn.datasets.mnist": _INPUT_DATA,
    "tensorflow.contrib.slim.python.slim.nets": "tf_slim.nets",
    "tensorflow.contrib.slim": "tf_slim",
    "tensorflow.contrib": f"{_OURS}.contrib",
    "tensorflow.keras": _KERAS,
    "tensorflow.layers": f"{_KERAS}.__internal__.legacy.layers",
    "tensorflow.nn.rnn_cell": f"{_KERAS}.__internal__.legacy.rnn_cell",
    "keras.engine": f"{_KERAS}.layers",
    "keras.layers": f"{_KERAS}.layers",
    "keras.legacy": f"{_KERAS}.layers",
    "keras": _KERAS,
    # Where TensorFlow looks for the batch normalization of `tf.layers`.
    "tf_keras.legacy_tf_layers": "tf_keras.src.legacy_tf_layers",
    "scipy.misc": f"{_OURS}.scipy_misc",
}


def modern(name):
    """Returns the module that serves the one called `name`, or None."""
    if name.startswith(f"{_KERAS}.layers."):
        return None  # All layers are in the package itself.
    if name.startswith(f"{_KERAS}."):
        # A part of Keras asked for by `from keras.utils import layer_utils`.
        inner = f"tf_keras.src{name.removeprefix(_KERAS)}"
        return inner if not _is_file_of(name) and _exists(inner) else None
    for old, new in _MODULES.items():
        if name == old or name.startswith(f"{old}."):
            return _within(new, name.removeprefix(old))
    return None


def _within(package, rest):
    """Returns the module `rest` of a package, or the package that took it in.

    Old code imports from the files inside a package, which were moved:
    `contrib.layers.python.layers` is served by `contrib.layers`, and
    `keras.layers.core` by `keras.layers`.
    """
    if package.startswith(f"{_KERAS}."):
        return package
    inside, _, _ = f"{rest}.".partition(".python.")
    found = package + inside.rstrip(".")
    return found if _exists(found) else None


def _exists(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, AttributeError, ValueError):
        return False


def _is_file_of(name):
    """Returns whether a package itself has a module, asked without our help."""
    parent, _, _ = name.rpartition(".")
    path = getattr(sys.modules.get(parent), "__path__", None)
    return importlib.machinery.PathFinder.find_spec(name, path) is not None
