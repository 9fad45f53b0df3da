"""`cPickle`: Python 2's pickles, of which the text was bytes."""

import pickle
from pickle import *  # noqa: F403
from pickle import (  # noqa: F401
    HIGHEST_PROTOCOL,
    PickleError,
    Pickler,
    PicklingError,
    Unpickler,
    UnpicklingError,
)

_today = {name: getattr(pickle, name) for name in ("load", "loads", "dump")}


def load(file, **settings):
    return _today["load"](_of_bytes(file), **{"encoding": "latin1"} | settings)


def loads(data, **settings):
    data = data.encode("latin1") if isinstance(data, str) else data
    return _today["loads"](data, **{"encoding": "latin1"} | settings)


def dump(value, file, protocol=0):
    _today["dump"](value, _of_bytes(file), protocol)


def dumps(value, protocol=0):
    return pickle.dumps(value, protocol)


def _of_bytes(file):
    """Returns what a file opened as text reads from: all files were bytes."""
    return getattr(file, "buffer", file)
