"""A share of the time, and what has been spent of it."""

import contextlib
import time
from collections.abc import Callable, Iterator


class TimeBudget:
    """Lets something be done as long as it takes a small share of the time.

    Args:
        share: The largest share, in (0, 1].
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._spent = self._last = self._out = 0.0
        self._start = time.monotonic()

    @property
    def allows(self) -> bool:
        """Whether doing it once more, as long as last time, stays below."""
        elapsed = time.monotonic() - self._start - self._out
        return self._spent + self._last <= self._share * elapsed

    @contextlib.contextmanager
    def counted(self) -> Iterator[Callable[[], float]]:
        """A `with` block whose time is counted; yields how to read it."""
        start = time.monotonic()
        try:
            yield lambda: time.monotonic() - start
        finally:
            self._last = time.monotonic() - start
            self._spent += self._last

    @contextlib.contextmanager
    def outside(self) -> Iterator[None]:
        """A `with` block whose time does not belong to the run."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._out += time.monotonic() - start
