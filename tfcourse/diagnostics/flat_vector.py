"""Named arrays as one flat vector, and back."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


class FlatVector:
    """How named arrays lie one after the other in a flat vector."""

    def __init__(
        self, names: Sequence[str], shapes: Sequence[tuple[int, ...]]
    ) -> None:
        self.names, self.shapes = list(names), [tuple(s) for s in shapes]
        self.sizes = [math.prod(shape) for shape in self.shapes]
        self.ends = np.cumsum(self.sizes).astype(int)
        self.size = sum(self.sizes)

    def join(
        self, arrays: Sequence[Any], argument: str = "theta"
    ) -> np.ndarray:
        """Returns the arrays as one float64 vector."""
        arrays = [np.asarray(array, "float64") for array in arrays]
        shapes = [array.shape for array in arrays]
        if shapes != self.shapes:
            raise ValueError(
                f"`{argument}` must have arrays of the shapes {self.shapes}, "
                f"in this order. Received: shapes {shapes}"
            )
        return np.concatenate([array.ravel() for array in arrays])

    def split(self, flat: Any, reshape: Any = np.reshape) -> list:
        """Returns the arrays, or tensors, that lie in a flat vector."""
        starts = self.ends - self.sizes
        return [
            reshape(flat[start:end], shape)
            for start, end, shape in zip(
                starts, self.ends, self.shapes, strict=True
            )
        ]

    def owner(self, indices: Any) -> Any:
        """Returns the place, in `names`, of each flat index."""
        return np.searchsorted(self.ends, indices, side="right")

    def locate(self, index: int) -> tuple:
        """Returns the name of the array at a flat index, and where in it."""
        place = int(self.owner(index))
        start = self.ends[place] - self.sizes[place]
        inside = np.unravel_index(index - start, self.shapes[place])
        return self.names[place], tuple(int(i) for i in inside)

    def sample(self, count: int | None, seed: int) -> np.ndarray:
        """Returns flat indices, about as many of each array, sorted."""
        if count is None or count >= self.size:
            return np.arange(self.size)
        shares = _equal_shares(self.sizes, count)
        rng = np.random.default_rng(seed)
        starts = self.ends - self.sizes
        return np.concatenate(
            [
                start + np.sort(rng.choice(size, share, replace=False))
                for start, size, share in zip(
                    starts, self.sizes, shares, strict=True
                )
            ]
        ).astype(int)


def _equal_shares(sizes, count):
    """Returns how many to take of each, as equally as the sizes allow."""
    shares = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=lambda place: sizes[place])
    for done, place in enumerate(order):
        shares[place] = min(sizes[place], -(-count // (len(sizes) - done)))
        count -= shares[place]
    return shares
