"""`tf.estimator`: the package of that name, which TensorFlow no longer brings.

Its last version, 2.15, asks for a few parts of TensorFlow that were removed
with it: names for its API, distributed training, and TPU embeddings.
"""

import importlib
import sys
import types

from tensorflow.python.util import tf_export

from tfcourse.tf1_runner.imports.symbol_names import names_from


class _Removed(types.ModuleType):
    """A module of classes that nobody will make."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def _stand_in(name, **functions):
    module = _Removed(f"tensorflow.python.{name}")
    vars(module).update(functions)
    parent, _, last = module.__name__.rpartition(".")
    sys.modules[module.__name__] = module
    setattr(importlib.import_module(parent), last, module)


def _prepare():
    tf_export.ESTIMATOR_API_NAME = "estimator"
    for table in (tf_export.API_ATTRS, tf_export.API_ATTRS_V1):
        table["estimator"] = table["tensorflow"]
    _stand_in(
        "distribute.estimator_training",
        init_run_config=lambda *args, **kwargs: None,
        should_run_distribute_coordinator=lambda config: False,
    )
    for name in ("tpu_embedding", "tpu_embedding_gradient", "session_support"):
        _stand_in(f"tpu.{name}")


_prepare()

__getattr__ = names_from(
    "tf.estimator", "tensorflow_estimator._api.v1.estimator"
)
