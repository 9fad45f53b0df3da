"""Names of Keras 2.0 to 2.3 that tf-keras, which is Keras 2.15, has not."""

import importlib

import tf_keras
from tf_keras.api._v1 import keras
from tf_keras.src.applications import imagenet_utils


def apply() -> None:
    """Adds them to the modules that serve `keras` and `tf.keras`."""
    backend = keras.backend
    backend.tensorflow_backend = backend
    backend.image_dim_ordering = _image_dim_ordering
    backend.set_image_dim_ordering = _set_image_dim_ordering
    keras.constraints.maxnorm = keras.constraints.max_norm
    keras.constraints.nonneg = keras.constraints.non_neg
    keras.applications.imagenet_utils._obtain_input_shape = (
        imagenet_utils.obtain_input_shape
    )
    # What `keras.engine` had is looked for among the layers.
    keras.layers.Model = keras.Model
    keras.layers.get_source_inputs = tf_keras.utils.get_source_inputs
    for name in ("layers", "utils"):
        getattr(keras, name).__getattr__ = _module_of(f"keras.{name}")


_ORDERINGS = {"tf": "channels_last", "th": "channels_first"}


def _image_dim_ordering():
    names = {new: old for old, new in _ORDERINGS.items()}
    return names[keras.backend.image_data_format()]


def _set_image_dim_ordering(name):
    keras.backend.set_image_data_format(_ORDERINGS[name])


def _module_of(package):
    """Returns a `__getattr__` that finds files, such as `layers.core`."""

    def find(name):
        if name.islower() and not name.startswith("_"):
            try:
                return importlib.import_module(f"{package}.{name}")
            except ImportError:
                pass
        raise AttributeError(
            f"module '{package}' has no attribute '{name}'", name=name
        )

    return find
