"""The sizes of layers that may differ between members of a family."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from keras import layers

from tfcourse.tuning.supernet.settings import inner
from tfcourse.tuning.supernet.supported import WIDTHS

# By the name of the setting: a width, or the sizes of a kernel.
Sizes = dict[str, Any]
KERNEL = "kernel_size"
_OF_FREE_KERNELS = layers.Conv1D, layers.Conv2D, layers.Conv3D

# Widths are multiples of it, which a processor's registers hold as well.
_STEP = 8


def free_sizes(layer: Any, width_is_free: bool) -> Sizes:
    """Returns the sizes of a known layer that may be others.

    A small kernel lies in a large one where both move over the input alike: in
    the middle, if the input is padded, or at the end, if it is so in the past.
    """
    layer = inner(layer)
    found = {}
    if width_is_free:
        name = WIDTHS[type(layer)]
        found[name] = getattr(layer, name)
    if _has_free_kernel(layer):
        found[KERNEL] = tuple(layer.kernel_size)
    return found


def _has_free_kernel(layer: Any) -> bool:
    return (
        type(layer) in _OF_FREE_KERNELS
        and layer.padding in ("same", "causal")
        and {*layer.strides, *layer.dilation_rate} == {1}
    )


def largest(sizes: Iterable[Sizes]) -> Sizes:
    """Returns sizes that all of some find room in.

    Widths are rounded up, so that later members are likely to find room, too.
    """
    found: Sizes = {}
    for some in sizes:
        for name, size in some.items():
            if name == KERNEL:
                other = found.get(name, size)
                found[name] = tuple(map(max, size, other))
            else:
                size = math.ceil(size / _STEP) * _STEP
                found[name] = max(size, found.get(name, 0))
    return found


def fits(sizes: Sizes, room: Mapping[str, Any]) -> bool:
    """Whether sizes find room in others."""
    return all(
        all(map(int.__le__, size, room[name]))
        if name == KERNEL
        else size <= room[name]
        for name, size in sizes.items()
    )


def part_of_kernel(
    padding: str, small: Sequence[int], large: Sequence[int]
) -> list[np.ndarray]:
    """Returns, for each axis of a large kernel, where a small one lies."""
    masks = []
    for size, room in zip(small, large, strict=True):
        first = (room - 1) // 2 - (size - 1) // 2
        if padding == "causal":
            first = room - size
        places = np.arange(room)
        masks.append((first <= places) & (places < first + size))
    return masks
