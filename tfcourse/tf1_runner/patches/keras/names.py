"""Names of Keras 1 and 2.0 to 2.3 that tf-keras has not."""

import collections
import functools
import importlib
import types

import numpy as np
import tf_keras
from tf_keras.api._v1 import keras
from tf_keras.src.applications import imagenet_utils
from tf_keras.src.utils import np_utils

from tfcourse.tf1_runner.patches.libraries.added import taking
from tfcourse.tf1_runner.shims.keras import (
    initializations,
    merging,
    metrics,
    removed_layers,
)


def apply() -> None:
    """Adds them to the modules that serve `keras` and `tf.keras`."""
    _extend_backend(keras.backend)
    keras.constraints.maxnorm = keras.constraints.max_norm
    keras.constraints.nonneg = keras.constraints.non_neg
    keras.constraints.unitnorm = keras.constraints.unit_norm
    keras.applications.imagenet_utils._obtain_input_shape = (
        imagenet_utils.obtain_input_shape
    )
    keras.objectives = keras.losses
    keras.initializations = initializations
    # What `keras.engine` had is looked for among the layers.
    keras.layers.Model = keras.layers.Container = keras.Model
    keras.layers.slice_X = keras.layers.slice_arrays = _sliced
    keras.layers.get_source_inputs = tf_keras.utils.get_source_inputs
    for name in removed_layers.NAMES:
        setattr(keras.layers, name, getattr(removed_layers, name))
    for name in metrics.NAMES:
        setattr(keras.metrics, name, getattr(metrics, name))
        keras.utils.get_custom_objects()[name] = getattr(metrics, name)
    # `from keras.layers import merge` finds the module that has all layers.
    keras.layers.__class__ = _CallableModule
    keras.layers.merge = keras.layers
    _add_what_a_star_brought()
    _extend_regularizers(keras.regularizers)
    _extend_weights()
    for module in (keras.utils, np_utils):
        module.probas_to_classes = _classes
        module.categorical_probas_to_classes = _classes
    _restore_rates()
    _add_small_names()
    for name in ("", ".layers", ".utils"):
        module = importlib.import_module(f"{keras.__name__}{name}")
        module.__getattr__ = _module_of(f"keras{name}")


class _CallableModule(types.ModuleType):
    """The module `keras.layers.merge`, which was a function in Keras 1."""

    def __call__(self, *args, **kwargs):
        return merging.merge(*args, **kwargs)


# Modules that others had imported, so that `import *` brought them along.
_BROUGHT = {
    "callbacks": "K csv deque json np os time warnings",
    "layers": "K activations constraints copy initializers np regularizers "
    "warnings",
    "losses": "K np",
    "metrics": "K np",
    "models": "K copy json np optimizers os warnings",
    "optimizers": "K copy np",
    "preprocessing.image": "K np os re threading warnings",
    "preprocessing.sequence": "np random",
    "preprocessing.text": "OrderedDict defaultdict np string sys warnings",
    "regularizers": "K",
    "initializers": "K np",
    "activations": "K warnings",
    "utils": "np_utils",
}


def _add_what_a_star_brought():
    called = {"K": keras.backend, "np": np, "np_utils": np_utils}
    called |= {name: getattr(collections, name) for name in _OF_COLLECTIONS}
    for path, names in _BROUGHT.items():
        module = importlib.import_module(f"{keras.__name__}.{path}")
        for name in names.split():
            if not hasattr(module, name):
                value = called.get(name) or getattr(keras, name, None)
                value = value or importlib.import_module(name)
                setattr(module, name, value)


_OF_COLLECTIONS = ("OrderedDict", "defaultdict", "deque")
_PADDING = {"border_mode": "padding", "dim_ordering": "data_format"}
_RANGE = {"low": "minval", "high": "maxval", "std": "stddev"}
_OF_BACKEND = {
    "conv2d": _PADDING,
    "one_hot": {"nb_classes": "num_classes"},
    "pool2d": _PADDING,
    "random_normal": _RANGE,
    "random_normal_variable": _RANGE,
    "random_uniform": _RANGE,
    "random_uniform_variable": _RANGE,
    "truncated_normal": _RANGE,
}


_ORDERINGS = {"tf": "channels_last", "th": "channels_first"}


def _extend_backend(backend):
    backend.tensorflow_backend = backend.common = backend
    backend.image_dim_ordering = _image_dim_ordering
    backend.set_image_dim_ordering = _set_image_dim_ordering
    backend.tf = importlib.import_module("tensorflow")
    for name, renamed in _OF_BACKEND.items():
        function = getattr(backend, name)
        setattr(backend, name, taking(function, renamed))


def _image_dim_ordering():
    names = {new: old for old, new in _ORDERINGS.items()}
    return names[keras.backend.image_data_format()]


def _set_image_dim_ordering(name):
    keras.backend.set_image_data_format(_ORDERINGS[name])


class _Weight:
    """A layer's weight by its old name, unless the layer has set its own."""

    def __init__(self, name):
        self._name = name

    def __get__(self, layer, kind=None):
        return self if layer is None else getattr(layer, self._name)


def _extend_weights():
    layers = keras.layers
    for layer in (layers.Dense, layers.Conv1D, layers.Conv2D):
        layer.W, layer.b = _Weight("kernel"), _Weight("bias")
    layers.Embedding.W = _Weight("embeddings")
    # Those of Theano's variables.
    variable = keras.backend.tf.compat.v2.Variable
    variable.get_value = lambda self, borrow=False: keras.backend.get_value(
        self
    )
    variable.set_value = lambda self, value, borrow=False: (
        keras.backend.set_value(self, value)
    )


def _classes(p):
    """Returns the likeliest class of each row, or whether it is over half."""
    return p.argmax(axis=-1) if p.shape[-1] > 1 else (p > 0.5).astype("int32")


def _sliced(arrays, start=None, stop=None):
    """Returns the examples from start to stop, or those of some places."""
    if isinstance(arrays, list):
        return [_sliced(array, start, stop) for array in arrays]
    return arrays[start if hasattr(start, "__len__") else slice(start, stop)]


def _extend_regularizers(regularizers):
    """Those of Keras 1, which told weights from activities by their class."""
    both = regularizers.l1_l2
    regularizers.WeightRegularizer = _none_by_default(both)
    regularizers.ActivityRegularizer = _none_by_default(both)
    regularizers.l1l2 = regularizers.activity_l1l2 = both
    regularizers.activity_l1 = regularizers.l1
    regularizers.activity_l2 = regularizers.l2


def _none_by_default(regularizer):
    return lambda l1=0.0, l2=0.0: regularizer(l1, l2)


# What a rate was if none was given; tf-keras has 0.001 for all of them.
_RATES = {"Adadelta": 1.0, "Adagrad": 0.01, "Adamax": 0.002, "Nadam": 0.002}


def _add_small_names():
    """`keras.optimizers.sgd()`, which was the name in a configuration."""
    for name in ("SGD", "RMSprop", *_RATES, "Adam"):
        optimizer = getattr(keras.optimizers, name)
        setattr(keras.optimizers, name.lower(), optimizer)


def _restore_rates():
    for name, rate in _RATES.items():
        optimizer = getattr(keras.optimizers, name)
        optimizer.__init__ = _with_rate(rate, optimizer.__init__)
    adagrad = keras.optimizers.Adagrad
    adagrad.__init__ = _from_zero(adagrad.__init__)
    from_config = adagrad.from_config.__func__
    adagrad.from_config = classmethod(_from_zero_config(from_config))


def _with_rate(rate, initialize):
    @functools.wraps(initialize)
    def call(self, learning_rate=None, *args, **kwargs):
        if learning_rate is None:
            learning_rate = kwargs.pop("lr", rate)
        initialize(self, learning_rate, *args, **kwargs)

    return call


def _from_zero(initialize):
    """Lets Adagrad sum squares from 0; tf-keras begins with 0.1."""

    @functools.wraps(initialize)
    def call(self, *args, initial_accumulator_value=0.0, **kwargs):
        kwargs["initial_accumulator_value"] = initial_accumulator_value
        initialize(self, *args, **kwargs)

    return call


def _from_zero_config(from_config):
    def call(cls, config, *args, **kwargs):
        config = {"initial_accumulator_value": 0.0} | config
        return from_config(cls, config, *args, **kwargs)

    return call


def _module_of(package):
    """Returns a `__getattr__` that finds files, such as `layers.core`."""

    def find(name):
        if name.islower() and not name.startswith("_"):
            try:
                return importlib.import_module(f"{package}.{name}")
            except ImportError:
                pass
        raise AttributeError(
            f"module '{package}' has no attribute '{name}'",
            name=f"{package}.{name}",
        )

    return find
