"""`keras.initializations` of Keras 1: functions that make a variable."""

from tf_keras.api._v1 import keras

_NAMES = {
    "glorot_normal": "glorot_normal",
    "glorot_uniform": "glorot_uniform",
    "he_normal": "he_normal",
    "he_uniform": "he_uniform",
    "lecun_uniform": "lecun_uniform",
    "identity": "identity",
    "orthogonal": "orthogonal",
    "one": "ones",
    "zero": "zeros",
}


def get(identifier, **settings):
    """Returns the function of a name; a function stays what it is."""
    return globals()[identifier] if isinstance(identifier, str) else identifier


def normal(shape, scale=0.05, name=None):
    return _made(keras.initializers.RandomNormal(stddev=scale), shape, name)


def uniform(shape, scale=0.05, name=None):
    return _made(keras.initializers.RandomUniform(-scale, scale), shape, name)


def _made(initializer, shape, name=None):
    return keras.backend.variable(initializer(shape), name=name)


def _function(today):
    def make(shape, scale=1, name=None, **_):
        return _made(keras.initializers.get(today), shape, name)

    return make


globals().update({old: _function(new) for old, new in _NAMES.items()})
