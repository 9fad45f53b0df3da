"""`tf.contrib`, which TensorFlow 2 has not: each part loads when it is used."""

import importlib

from tfcourse.tf1_runner.imports.module_names import modern


def __getattr__(name):
    full = f"tensorflow.contrib.{name}"
    if not name.startswith("_") and modern(full):
        return importlib.import_module(full)
    raise AttributeError(
        f"module 'tensorflow.contrib' has no attribute '{name}'",
        name=f"tf.contrib.{name}",
    )
