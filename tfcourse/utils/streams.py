"""The file descriptor of `stderr`, which C++ writes to past `sys.stderr`."""

import contextlib
import os
import sys
from collections.abc import Iterator

_STDERR = 2


def discard_stderr() -> int:
    """Sends what is written to the descriptor of `stderr` to nowhere.

    Returns:
        A new descriptor for where it led before.
    """
    sys.stderr.flush()
    before = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    return before


@contextlib.contextmanager
def stderr_discarded() -> Iterator[None]:
    """Does `discard_stderr` for the length of a `with`."""
    before = discard_stderr()
    try:
        yield
    finally:
        os.dup2(before, _STDERR)
        os.close(before)
