"""Short recurrences are written out: loops vectorise far more slowly."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import keras

from tfcourse.tuning.population.functional.layer_traits import steps_of

_LONGEST = 32


def is_short(layer: Any) -> bool:
    """Whether it is a recurrent layer of few steps."""
    return (
        isinstance(layer, keras.layers.RNN)
        and 0 < (steps_of(layer) or 0) <= _LONGEST
    )


@contextlib.contextmanager
def unrolled(layers: list[Any]) -> Iterator[None]:
    """Writes out the recurrent layers among some, as far as it is the same."""
    changed = [
        layer for layer in layers if is_short(layer) and not layer.unroll
    ]
    backwards = [layer for layer in changed if _zeroes_backwards(layer)]
    for layer in changed:
        layer.unroll = True
    for layer in backwards:
        layer.inner_loop = functools.partial(_inner_loop, layer)
    try:
        yield
    finally:
        for layer in backwards:
            del layer.inner_loop
        for layer in changed:
            layer.unroll = False


def _zeroes_backwards(layer: keras.layers.RNN) -> bool:
    return bool(
        layer.go_backwards
        and layer.return_sequences
        and layer.zero_output_for_mask
    )


def _inner_loop(
    layer: keras.layers.RNN,
    sequences: Any,
    initial_state: Any,
    mask: Any,
    training: bool = False,
) -> Any:
    """Does as the layer's own, which is a loop where there is a mask.

    Written out, Keras zeroes other steps of what goes backwards, as half of a
    `Bidirectional` does, than in its loop.
    """
    layer.unroll = mask is None
    try:
        return type(layer).inner_loop(
            layer, sequences, initial_state, mask, training
        )
    finally:
        layer.unroll = True
