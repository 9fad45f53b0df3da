r"""How far two ways to compute one step may differ by rounding.

Sums in another order differ by a few units of the last digit, and what is
computed of them by as much, with one exception: an optimizer that divides a
gradient by its own size, such as Adam, makes full steps of gradients that are
nothing but rounding. So a step $u_i$ of a parameter may differ by

$$ \max_j |u_j| \, (r + \min(2 \cdot n / |g_i|, 3)) $$

where $g_i$ is its gradient, $n$ the rounding of gradients, a share of the
largest in the model, and $r$ that of all else, relative.
"""

import dataclasses
from typing import Any

import keras
import numpy as np

from tfcourse.utils.keras_private import every_layer

# A step may at most turn around, and a little more.
_TURNED = 3.0
_DIGITS = 8.0


@dataclasses.dataclass(frozen=True)
class Rounding:
    """What may be rounding.

    Attributes:
        relative: Of losses and metrics, and of the steps of variables.
        absolute: Of metrics.
        of_gradients: As a share of the model's largest gradient.
        last_digit: Of what is computed, relative.
    """

    relative: float
    absolute: float
    of_gradients: float
    last_digit: float

    def of_values(self, expected: np.ndarray) -> np.ndarray:
        """Returns by how much metrics may differ."""
        return self.relative * np.abs(expected) + self.absolute

    def of_steps(
        self,
        before: np.ndarray,
        after: np.ndarray,
        gradient: np.ndarray | None,
        largest: float,
    ) -> np.ndarray:
        """Returns by how much a variable may differ after a step.

        Args:
            before: What it was before.
            after: What it is.
            gradient: That of the parameter, or of the one whose slot it is;
                None if there is none.
            largest: The largest gradient in the model.
        """
        step = np.max(np.abs(after - before), initial=0)
        digits = _DIGITS * np.finfo(np.float32).eps * np.abs(after)
        if gradient is None:
            return self.relative * step + digits + self._state(after)
        size = np.abs(gradient)
        if size.shape != after.shape:
            size = np.max(size, initial=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = 2 * self.of_gradients * largest / size
        share = np.minimum(np.nan_to_num(share, nan=_TURNED), _TURNED)
        return step * (self.relative + share) + digits

    def _state(self, after: np.ndarray) -> np.ndarray:
        # Of a mean that is zero only rounding is left.
        return self.last_digit * (1 + np.abs(after))


# Some thirty times what was seen in small networks of each kind, and of
# gradients twice that of biases which cancel over thousands of pixels.
_SINGLE = Rounding(5e-5, 5e-6, 2e-5, 1e-6)
_TENSOR_FLOAT = Rounding(1e-2, 1e-2, 2e-3, 1e-3)
_HALF = {
    "float16": Rounding(2e-2, 0.1, 1e-2, 1e-2),
    "bfloat16": Rounding(5e-2, 0.1, 5e-2, 5e-2),
}


def rounding_of(model: keras.Model) -> Rounding:
    """Returns what may be rounding in a model, by its lowest precision."""
    dtypes: set[Any] = {layer.compute_dtype for layer in every_layer(model)}
    for dtype in ("bfloat16", "float16"):
        if dtype in dtypes:
            return _HALF[dtype]
    return _TENSOR_FLOAT if _has_accelerator() else _SINGLE


def _has_accelerator() -> bool:
    """Whether products may be rounded to 10 bits, as GPUs do it."""
    tensor: Any = keras.ops.convert_to_tensor(0.0)
    name = str(tensor.device).lower()
    return "cpu" not in name
