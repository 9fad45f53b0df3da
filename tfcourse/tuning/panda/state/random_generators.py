"""The states of Python's and NumPy's global random generators."""

import random
from typing import Any

import numpy as np


def random_state() -> dict[str, Any]:
    """Returns the state of Python's and NumPy's generators, for JSON."""
    version, numbers, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [name, keys.tolist(), *rest],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Restores what `random_state` gave."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, "uint32"), *rest))
