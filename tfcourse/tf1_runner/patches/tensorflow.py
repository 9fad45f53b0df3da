"""Turns this process's TensorFlow into version 1, with what it has lost."""

import contextlib
import importlib
import os
import sys
import types
import warnings

from tfcourse.tf1_runner import advice
from tfcourse.tf1_runner.imports import hooks as imports
from tfcourse.tf1_runner.imports import module_names as modules
from tfcourse.tf1_runner.patches import libraries

VERSION = "1.15.5"


def install():
    """Makes `import tensorflow` yield the TensorFlow 1 API from here on.

    Only for a script's own process: it cannot be undone.

    Returns:
        The names that were put back, such as `sub` for `tf.sub`.
    """
    with _quiet_start():
        import tensorflow.compat.v1 as tf

        tf.disable_v2_behavior()
    _hush(tf)
    _take_the_name(tf)
    imports.serve(modules.modern)
    added = put_back(tf)
    imports.after_import(libraries.PATCHES)
    libraries.restore_python()
    return added


def put_back(tf):
    """Adds to the v1 API what TensorFlow 1 had and it has not."""
    from tfcourse.tf1_runner.imports import symbol_names as renamed
    from tfcourse.tf1_runner.patches import channels_first as no_gpu
    from tfcourse.tf1_runner.patches import forward_op_counts as graph_shape
    from tfcourse.tf1_runner.patches import gradient_op_counts as gradient_shape
    from tfcourse.tf1_runner.patches import keras_1_arguments as keras_1
    from tfcourse.tf1_runner.patches import keras_2_names as keras_names
    from tfcourse.tf1_runner.patches import multi_rnn_cell as stacked_cells
    from tfcourse.tf1_runner.patches import plot_model as drawing
    from tfcourse.tf1_runner.patches import seeds, sessions
    from tfcourse.tf1_runner.patches import signatures as arguments
    from tfcourse.tf1_runner.shims.rnn_cells import linear

    seeds.install()
    stacked_cells.install()
    graph_shape.restore()
    gradient_shape.restore()
    sessions.install()
    drawing.install()
    keras_1.install()
    keras_names.install()
    linear.install()
    no_gpu.install()
    added = {}
    for name, new in renamed.RENAMED.items():
        added[name] = _find(tf, new)
    added |= arguments.names()
    for name, value in added.items():
        _set(tf, name, value)
    _explain_missing_names(tf)
    return added


def _take_the_name(tf):
    tf.__version__ = tf.VERSION = VERSION
    for module, names in _MOVED.items():
        for name in names.split():
            setattr(importlib.import_module(module), name, getattr(tf, name))
    tf.python = sys.modules["tensorflow.python"]
    tf.__path__ = [*tf.__path__, *sys.modules["tensorflow"].__path__]
    # Or `import tensorflow.compat.v1 as tf`, and `v2`, would find copies.
    tf.compat.v2 = sys.modules["tensorflow"].compat.v2
    sys.modules["tensorflow.compat.v1"] = tf.compat.v1 = tf
    sys.modules["tensorflow"] = tf
    # Or `from tensorflow.nn import ...` would load each of them once more.
    for name in dir(tf):
        part = vars(tf).get(name)
        if isinstance(part, types.ModuleType) and name not in _LATE_PARTS:
            sys.modules[f"tensorflow.{name}"] = part


# Where scripts, and TF-Slim, look for what lies in other modules now.
_MOVED = {
    "tensorflow.python.framework.ops": "Tensor IndexedSlices",
    "tensorflow.python.ops.control_flow_ops": "Assert case cond while_loop",
    "tensorflow.python.ops.array_ops": "stack unstack",
}


def _find(tf, name):
    value = tf
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _set(tf, name, value):
    owner, _, last = name.rpartition(".")
    setattr(_find(tf, owner) if owner else tf, last, value)


def _explain_missing_names(tf):
    """Makes an unknown name say what became of it; `tf.contrib` loads late."""

    def explaining(module, prefix):
        def find(name):
            full = f"{prefix}.{name}"
            if full in _LATE:
                found = importlib.import_module(_LATE[full])
                setattr(module, name, found)
                return found
            raise AttributeError(
                f"module '{prefix.replace('tf', 'tensorflow', 1)}' has no "
                f"attribute '{name}'",
                name=full,
            )

        return find

    tf.__getattr__ = explaining(tf, "tf")
    for name in advice.SUBMODULES:
        module = getattr(tf, name)
        # An underscore or dunder is Python asking, not the script.
        module.__getattr__ = explaining(module, f"tf.{name}")


# Served by other packages, when they are first asked for.
_LATE_PARTS = {"keras", "layers", "estimator"}
_LATE = {
    "tf.contrib": "tensorflow.contrib",
    "tf.estimator": "tensorflow.estimator",
    "tf.examples": "tensorflow.examples",
    "tf.nn.seq2seq": "tensorflow.contrib.legacy_seq2seq",
}


@contextlib.contextmanager
def _quiet_start():
    """Keeps off the terminal what TensorFlow's C++ writes while it loads."""
    sys.stderr.flush()
    terminal = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(nowhere)
        os.close(terminal)


def _hush(tf):
    """Silences advice that a script of that time cannot follow."""
    from tensorflow.python.platform import tf_logging
    from tensorflow.python.util import deprecation

    tf_logging.get_logger().addFilter(
        lambda record: "deprecated" not in str(record.msg)
    )
    deprecation._PRINT_DEPRECATION_WARNINGS = False
    for told in (
        ".*is deprecated and will be",
        ".*`Model.state_updates` will be",
        "You are saving your model as an HDF5 file",
    ):
        warnings.filterwarnings("ignore", message=told)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
