"""Networks of like size together, where padding costs more than a program.

A narrow network that is embedded in a wide one takes as long as that.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from tfcourse.data.adapters import (
    are_arrays,
    is_tensorflow_dataset,
    length_of,
)
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.utils.keras_private import first_of_sequential

# A further program takes as long as so many multiplications of a forward pass,
# counted for every example that every member trains on. Measured: dense
# networks of 4 to 500 thousand weights on two cores, 1.8 s against 4.6e9 a
# second, both in CPU seconds.
PROGRAM = 8e9
# Of a smaller class the program is hardly shared.
LEAST = 4
# Of a dataset that does not say how large its batches are.
_BATCH = 32


class _Layer(NamedTuple):
    """A layer whose width may differ between members.

    Attributes:
        width: How many features it gives.
        work: How many multiplications it needs for an example.
    """

    width: int
    work: float


def classes(
    candidates: list[Candidate], executions: int = 1
) -> list[list[Candidate]]:
    """Returns candidates of one family in classes, each for a program.

    Args:
        candidates: The candidates.
        executions: How often each trial is executed.
    """
    sizes: list[Any] = [_wide_layers(c.model) for c in candidates]
    if len(candidates) < 2 * LEAST or None in sizes:
        return [candidates]
    visits = [
        executions * candidate.folds * _examples(candidate.arguments)
        for candidate in candidates
    ]
    order = sorted(range(len(sizes)), key=lambda i: _work([sizes[i]]))
    ends = _cheapest(
        [sizes[i] for i in order], np.array([visits[i] for i in order])
    )
    return [
        [candidates[i] for i in sorted(order[start:end])]
        for start, end in itertools.pairwise([0, *ends])
    ]


def _cheapest(sizes: list[Any], visits: np.ndarray) -> list[int]:
    """Returns where classes end, such that all take the least time.

    Args:
        sizes: What `_wide_layers` gives for each member, small ones first.
        visits: On how many examples each is trained, counted as often as it is.
    """
    count, before = len(sizes), np.concatenate([[0.0], np.cumsum(visits)])
    # For the first members, the least costs and where their last class begins.
    best: list[tuple[float, int]] = [(0.0, 0)] + [(math.inf, 0)] * count
    for start in range(count):
        for end in range(start + LEAST, count + 1):
            work = _work(sizes[start:end])
            cost = PROGRAM + work * (before[end] - before[start])
            total = best[start][0] + cost
            best[end] = min(best[end], (total, start))
    ends = [count]
    while best[ends[0]][1]:
        ends.insert(0, best[ends[0]][1])
    return ends


def _work(members: list[list[_Layer]]) -> float:
    """Returns the multiplications of the network that holds some members."""
    deepest = max(members, key=len)
    if all(len(member) == len(deepest) for member in members):
        largest = [
            max(some.width for some in column)
            for column in zip(*members, strict=True)
        ]
    else:
        # Optional layers are all as wide as the widest.
        widest = max(some.width for member in members for some in member[:-1])
        largest = [widest] * (len(deepest) - 1) + [deepest[-1].width]
    shares = [
        wide / layer.width for wide, layer in zip(largest, deepest, strict=True)
    ]
    return sum(
        layer.work * here * before
        for layer, here, before in zip(
            deepest, shares, [1.0, *shares], strict=False
        )
    )


def _wide_layers(model: keras.Model) -> list[_Layer] | None:
    """Returns a network's layers with a width, or None if it is no chain."""
    if type(model) is not keras.Sequential or not model.layers:
        return None
    return list(_walk(model))


def _walk(model: keras.Sequential) -> Iterator[_Layer]:
    shape = first_of_sequential(model).batch_shape
    for layer in model.layers:
        before, shape = shape, layer.compute_output_shape(shape)
        if isinstance(layer, layers.Dense):
            kernel = ()
        elif isinstance(layer, (layers.Conv1D, layers.Conv2D, layers.Conv3D)):
            kernel = layer.kernel_size
        else:
            continue
        # An axis of any length counts as one.
        places = math.prod(size or 1 for size in shape[1:-1])
        work = places * math.prod(kernel) * before[-1] * shape[-1]
        yield _Layer(shape[-1], work)


def _examples(arguments: dict[str, Any]) -> float:
    """Returns on how many examples a model is trained, all epochs together."""
    x = arguments["x"]
    if are_arrays(x):
        each = length_of(x)
    elif is_tensorflow_dataset(x):
        each = max(int(x.cardinality()), 0) * _BATCH
    else:
        each = (getattr(x, "num_batches", None) or 0) * _BATCH
    return each * (arguments["epochs"] - arguments["initial_epoch"])
