"""Numbers that code draws outside of the program, once for all members."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from tfcourse.errors import CannotVectorize


@contextlib.contextmanager
def nothing_drawn(by: str) -> Iterator[None]:
    """While it lasts, nothing may draw from Python's or NumPy's generator.

    Args:
        by: What computes meanwhile, for the error.

    Raises:
        CannotVectorize: If something has.
    """
    before = _states()
    yield
    for name, state in _states().items():
        if state != before[name]:
            raise CannotVectorize(
                f"{by} draws from the generator of `{name}`, which would give "
                "all members the same number"
            )


def _states() -> dict[str, Any]:
    kind, keys, *rest = np.random.get_state(legacy=True)
    return {
        "random": random.getstate(),
        "numpy.random": (kind, np.asarray(keys).tobytes(), *rest),
    }
