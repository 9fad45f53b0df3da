"""The standard streams, and the descriptors that C++ writes to past them."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

_STDOUT, _STDERR = 1, 2


def open_closed_streams() -> None:
    """Lets those of the standard streams lead to nowhere that are closed.

    Else the next file that is opened would be in their place, and get all that
    is written to them.
    """
    for descriptor in range(_STDERR + 1):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest that is free.
            os.open(os.devnull, os.O_RDWR)
    for name, descriptor in (("stdout", _STDOUT), ("stderr", _STDERR)):
        if getattr(sys, name) is None:
            file = os.fdopen(descriptor, "w", encoding="utf-8", closefd=False)
            setattr(sys, name, file)


def flush_stdout() -> None:
    """Writes what is left to write, so that it cannot fail at the very end.

    Raises:
        OSError: If it cannot be written. It is lost then.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        _lead_to_nowhere(sys.stdout)
        error.filename = "The standard output"
        raise


def flush_stderr() -> None:
    """Does so for `stderr`, of whose failure nobody can be told."""
    try:
        sys.stderr.flush()
    except OSError:
        _lead_to_nowhere(sys.stderr)


def _lead_to_nowhere(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


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
        _lead_back(before)


@contextlib.contextmanager
def stderr_held(descriptor: int) -> Iterator[None]:
    """Sends what is written to `stderr` to another descriptor meanwhile."""
    sys.stderr.flush()
    before = os.dup(_STDERR)
    os.dup2(descriptor, _STDERR)
    try:
        yield
    finally:
        sys.stderr.flush()
        _lead_back(before)


def _lead_back(before: int) -> None:
    os.dup2(before, _STDERR)
    os.close(before)
