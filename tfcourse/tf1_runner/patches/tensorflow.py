"""Turns this process's TensorFlow into version 1, with what it has lost."""

import importlib
import logging
import sys
import types
import warnings

from tfcourse.tf1_runner.imports import hooks, module_names
from tfcourse.tf1_runner.imports.symbol_names import add_old_names
from tfcourse.utils.streams import stderr_discarded

VERSION = "1.15.5"


def apply() -> None:
    """Makes `import tensorflow` yield the TensorFlow 1 API from here on."""
    with stderr_discarded():  # TensorFlow's C++ writes to it while it loads.
        import tensorflow.compat.v1 as tf

        tf.disable_v2_behavior()
    _silence_deprecations()
    _log_once()
    _take_the_name(tf)
    hooks.serve(module_names.modern, module_names.files_of)
    add_old_names(tf)


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


# Other packages serve them, when they are first used.
_LATE_PARTS = {"keras", "layers", "estimator"}


def _silence_deprecations():
    """Silences advice that a script of that time cannot follow."""
    from tensorflow.python.platform import tf_logging
    from tensorflow.python.util import deprecation

    tf_logging.get_logger().addFilter(
        lambda record: "deprecated" not in str(record.msg)
    )
    deprecation._PRINT_DEPRECATION_WARNINGS = False
    for message in (
        ".*is deprecated and will be",
        ".*`Model.state_updates` will be",
        "You are saving your model as an HDF5 file",
        "The `lr` argument is deprecated",
        r"`[Mm]odel\.\w+_generator` is deprecated",
    ):
        warnings.filterwarnings("ignore", message=message)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)


def _log_once():
    """Has TensorFlow's lines printed by one handler of those that there are."""
    from absl import logging as absl_logging
    from tensorflow.python.platform import tf_logging

    logger = tf_logging.get_logger()
    for handler in logger.handlers:
        handler.addFilter(lambda record: not _root_prints())
    absl_logging.get_absl_handler().python_handler.addFilter(
        lambda record: record.name != logger.name
    )


def _root_prints():
    """Returns whether the script has told logging to print all there is."""
    return any(
        getattr(handler, "stream", None) in (sys.stdout, sys.stderr)
        for handler in logging.getLogger().handlers
    )
