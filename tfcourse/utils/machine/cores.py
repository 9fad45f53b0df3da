"""How many cores this process is to use."""

import os

_given: int | None = None


def cores() -> int:
    """Returns how many cores there are, or are for this process."""
    return _given or os.cpu_count() or 1


def set_cores(count: int) -> None:
    """Says that this process has but some cores of its machine.

    Args:
        count: How many.
    """
    global _given
    _given = count
