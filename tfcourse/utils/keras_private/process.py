"""What a process has once: its settings, its seeds, the names it counts."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.backend.common.dtypes import (
    BIT64_TO_BIT32_DTYPE as BIT64_TO_BIT32_DTYPE,
)
from keras.src.backend.common.global_state import (
    get_global_attribute,
    set_global_attribute,
)
from keras.src.layers.layer import Layer
from keras.src.random.seed_generator import (
    GLOBAL_SEED_GENERATOR as GLOBAL_SEED_GENERATOR,
)
from keras.src.random.seed_generator import global_seed_generator
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED

# What `set_random_seed` sets, among the attributes.
GLOBAL_SEEDS = GLOBAL_SEED_GENERATOR, GLOBAL_RANDOM_SEED


def global_attributes() -> dict[str, Any]:
    """Returns Keras's settings, and what it counts, by name.

    Its lists are copied: Keras appends to that of the variables that wait for
    their values.
    """
    return {
        name: list(value) if type(value) is list else value
        for name, value in vars(global_state.GLOBAL_STATE_TRACKER).items()
    }


def set_global_attributes(attributes: Mapping[str, Any]) -> None:
    """Restores what `global_attributes` gave, and forgets all else."""
    kept = vars(global_state.GLOBAL_STATE_TRACKER)
    kept.clear()
    kept.update(attributes)


def global_seed() -> keras.Variable:
    """Returns the state of what draws for all that have no seed of their own.

    `keras.utils.set_random_seed` makes a new one.
    """
    return global_seed_generator().state


def layer_at_work() -> Layer | None:
    """Returns the layer that is making a variable now, if it is one."""
    stack = global_state.get_global_attribute("name_scope_stack") or []
    callers = (scope.caller for scope in reversed(stack))
    return next((one for one in callers if isinstance(one, Layer)), None)


@contextlib.contextmanager
def fresh_names() -> Iterator[None]:
    """While it lasts, what has no name is named as in a new session."""
    counts = "object_name_uids"
    before = get_global_attribute(counts)
    set_global_attribute(counts, None)
    try:
        yield
    finally:
        set_global_attribute(counts, before)
