"""Keras's own attributes replaced for a while."""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

from keras.src import backend

_patching = threading.RLock()


@contextlib.contextmanager
def patched(
    *changes: tuple[Any, str, Any],
) -> Iterator[None]:
    """While it lasts, classes or modules have other functions."""
    with _patching, contextlib.ExitStack() as stack:
        for owner, name, method in changes:
            if name in vars(owner):
                stack.callback(setattr, owner, name, vars(owner)[name])
            else:
                stack.callback(delattr, owner, name)
            setattr(owner, name, method)
        yield


@contextlib.contextmanager
def divide_replaced(divided: Callable[..., Any]) -> Iterator[None]:
    """While it lasts, `keras.ops.divide` computes something else.

    Args:
        divided: A function of Keras's own `divide` for this backend, and of the
            numerator and the denominator, which may be sparse.
    """
    numbers = backend.numpy
    own = functools.partial(divided, numbers.divide)
    with patched((numbers, "divide", own)):
        yield
