"""Imports Keras in less time, in a process that is the command line's own."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Seeks no garbage while a block imports Keras, nor in what it imported.

    Python would look through the growing heap again and again, a fifth of what
    the import takes, and find nothing: what is imported stays.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if enabled:
            gc.enable()
