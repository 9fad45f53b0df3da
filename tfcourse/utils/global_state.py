"""What a process has once: random states, and the settings of Keras."""

from __future__ import annotations

import collections.abc
import contextlib
import contextvars
import gc
import random
import sys
from typing import Any, TypeVar

import keras
import numpy as np

from tfcourse.utils import keras_private

_T = TypeVar("_T")
# What `clear_session` is for: it makes layers count their names anew.
_COUNTS = "object_name_uids"
# While `only_new_garbage` lasts. To count what is frozen takes 50 ms.
_leaving_out = contextvars.ContextVar("leaving out what is old", default=False)


@contextlib.contextmanager
def preserved() -> collections.abc.Iterator[None]:
    """Gives all back, at its end, as it was at its beginning.

    That is the random state of Python, NumPy, TensorFlow and Keras, Keras's
    settings, such as the dtype policy, and the names that it has given.
    """
    python, numpy = random.getstate(), np.random.get_state()
    tensorflow = _tensorflow()
    tensorflows = tensorflow and tensorflow.random_state()
    attributes = keras_private.global_attributes()
    counts = dict(attributes.get(_COUNTS) or {})
    generator = attributes.get(keras_private.GLOBAL_SEED_GENERATOR)
    drawn = generator and keras.ops.convert_to_numpy(generator.state)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        if tensorflow and tensorflows:
            tensorflow.set_random_state(tensorflows)
        if generator:
            generator.state.assign(drawn)
        if attributes.get(_COUNTS) is not None:
            attributes[_COUNTS].clear()
            attributes[_COUNTS].update(counts)
        keras_private.set_global_attributes(attributes)


def seeded(seed: int, function: collections.abc.Callable[[], _T]) -> _T:
    """Returns what a function does after `keras.utils.set_random_seed`.

    A seed makes TensorFlow compile anew what it has compiled, which is spared
    if it has that seed already and nothing draws by its operations.

    Args:
        seed: An integer.
        function: A function without arguments, which may be called twice.
    """
    tensorflow = _tensorflow()
    if tensorflow is not None and tensorflow.is_seeded(seed):
        with tensorflow.seed_kept():
            keras.utils.set_random_seed(seed)
        with tensorflow.noting_draws() as drawn:
            found = function()
        if not drawn:
            return found
        # They may have gone on where others of their seed had ended.
    keras.utils.set_random_seed(seed)
    return function()


def random_states() -> tuple[Any, ...]:
    """Returns the states of the generators that `preserved` preserves.

    They are equal to those of another time if nothing was drawn between.
    """
    tensorflow = _tensorflow()
    keras_generator = keras_private.global_attributes().get(
        keras_private.GLOBAL_SEED_GENERATOR
    )
    kind, keys, *rest = np.random.get_state()
    state = keras_generator and np.asarray(keras_generator.state)
    return (
        random.getstate(),
        (kind, np.asarray(keys).tobytes(), *rest),
        tensorflow and tensorflow.random_state(),
        None if state is None else state.tobytes(),
    )


def settings() -> dict[str, Any]:
    """Returns what a user has set in Keras, such as the dtype policy."""
    return {
        name: value
        for name, value in keras_private.global_attributes().items()
        if name not in (_COUNTS, *keras_private.GLOBAL_SEEDS)
    }


def restore_settings(kept: dict[str, Any]) -> None:
    """Restores what `settings` gave; what is counted goes on."""
    now = keras_private.global_attributes()
    keras_private.set_global_attributes(now | kept)


@contextlib.contextmanager
def only_new_garbage() -> collections.abc.Iterator[None]:
    """While it lasts, garbage is sought in what was made meanwhile.

    Keras and keras-tuner collect it more than once a trial, which takes half a
    second where all that was imported is looked through each time.
    """
    if _leaving_out.get():
        yield
        return
    # Who has frozen what was imported wants it to stay so.
    is_own = not gc.get_freeze_count()
    if is_own:
        gc.freeze()
    token = _leaving_out.set(True)
    try:
        yield
    finally:
        _leaving_out.reset(token)
        if is_own:
            gc.unfreeze()


def look_past_what_is_left() -> None:
    """Leaves out of `only_new_garbage` what is alive now, from here on.

    TensorFlow keeps some 25,000 objects of each model that it has compiled.
    """
    if _leaving_out.get():
        gc.collect()
        gc.freeze()


def clear_session() -> None:
    """Does what Keras's does, but for the settings that a user has made."""
    kept = settings()
    keras.backend.clear_session()
    restore_settings(kept)


def _tensorflow():
    """Returns the private names of TensorFlow's, if it has been imported."""
    if "tensorflow" not in sys.modules:
        return None
    from tfcourse.utils import tensorflow_private

    return tensorflow_private
