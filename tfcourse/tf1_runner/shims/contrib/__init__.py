"""`tf.contrib`, which TensorFlow 2 has not: each part loads when it is used."""

import importlib

from tfcourse.tf1_runner.imports import hooks
from tfcourse.tf1_runner.imports.module_names import modern
from tfcourse.tf1_runner.imports.symbol_names import missing_name
from tfcourse.tf1_runner.shims.contrib import aliases

hooks.make(
    {f"{__name__}.{name}": fill for name, fill in aliases.MODULES.items()}
)


def __getattr__(name):
    full = f"tensorflow.contrib.{name}"
    if not name.startswith("_") and modern(full):
        return importlib.import_module(full)
    raise missing_name("tf.contrib", name)
