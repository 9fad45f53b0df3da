"""Calls that can wait."""

import contextlib
from collections.abc import Callable, Iterator


class DeferredCalls:
    """Makes calls at once, or when a block ends.

    Example:

    >>> calls = DeferredCalls()
    >>> with calls.deferred():
    ...     calls.call(print, "saved")
    ...     calls.call(print, "saved")
    ...     print("trained")
    trained
    saved
    """

    def __init__(self) -> None:
        self._waiting: dict | None = None

    def call(self, function: Callable, *args) -> None:
        """Calls a function, or notes it, each call once, while deferred."""
        if self._waiting is None:
            function(*args)
        else:
            self._waiting[function, args] = None

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """While it lasts, calls wait; then all are made, in order."""
        self._waiting = {}
        try:
            yield
        finally:
            waiting, self._waiting = self._waiting, None
            for function, args in waiting:
                function(*args)
