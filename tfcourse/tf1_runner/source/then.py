"""What Python and NumPy did then: functions that a program's calls become."""

import numpy as np


def number_of(value):
    """Returns the number in an array of one; anything else as it is."""
    return value.item() if _is_one(value) else value


def written(values):
    """Returns what goes into a text by `%`; arrays of one are numbers there."""
    if isinstance(values, tuple):
        return tuple(_Written(v) if _is_one(v) else v for v in values)
    return _Written(values) if _is_one(values) else values


class _Written:
    """An array of one in a text: a number by `%d` and `%f`, itself by `%s`."""

    def __init__(self, array):
        self._array = array

    def __float__(self):
        return float(self._array.item())

    def __int__(self):
        return int(self._array.item())

    def __repr__(self):
        return repr(self._array)

    def __str__(self):
        return str(self._array)


def _is_one(value):
    return isinstance(value, np.ndarray) and value.ndim and value.size == 1


def bytes_of(array):
    """Returns what `array.tostring()` gave, as it is called today."""
    return array.tobytes() if hasattr(array, "tobytes") else array.tostring()


def divided(a, b):
    """Returns a / b, rounded down if both are whole numbers."""
    return a // b if _is_whole(a) and _is_whole(b) else a / b


def divided_itself(a, b):
    """Returns a after `a /= b`: an array's own numbers are changed."""
    if _is_whole(a) and _is_whole(b):
        a //= b
    else:
        a /= b
    return a


def _is_whole(number):
    if isinstance(number, int):
        return True
    dtype = getattr(number, "dtype", None)
    # A NumPy type has a kind, one of TensorFlow is an integer or not.
    kind = getattr(dtype, "kind", None)
    return getattr(dtype, "is_integer", kind in {"i", "u"})


def items_of(values):
    """Returns an iterator, as `values.iteritems()` did."""
    return _own(values, "iteritems", lambda: iter(values.items()))


def keys_of(values):
    return _own(values, "iterkeys", lambda: iter(values.keys()))


def values_of(values):
    return _own(values, "itervalues", lambda: iter(values.values()))


def next_of(iterator):
    """Returns what `iterator.next()` did."""
    return _own(iterator, "next", lambda: next(iterator))


def has_key(values, key):
    own = getattr(values, "has_key", None)
    return own(key) if own else key in values


def extent_of(array, *args, **kwargs):
    """Returns what `array.ptp()` did: the greatest less the least."""
    if isinstance(array, np.ndarray | np.generic):
        return np.ptp(array, *args, **kwargs)
    return array.ptp(*args, **kwargs)


def set_item(array, *args):
    """Does what `array.itemset(place, value)` did."""
    if not isinstance(array, np.ndarray):
        return array.itemset(*args)
    *place, value = args
    if not place:
        array[(0,) * array.ndim] = value
    elif isinstance(place[0], tuple):
        array[place[0]] = value
    else:
        array.flat[place[0]] = value
    return None


def _own(owner, name, otherwise):
    method = getattr(owner, name, None)
    return method() if callable(method) else otherwise()


def is_one(value):
    """Returns whether a value is an array of one element, no number."""
    return _is_one(value)


FUNCTIONS = (
    bytes_of,
    divided,
    divided_itself,
    extent_of,
    has_key,
    is_one,
    items_of,
    keys_of,
    next_of,
    number_of,
    set_item,
    values_of,
    written,
)
