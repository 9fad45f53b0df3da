"""Numbers of which each member has its own, as Keras's code takes them."""

import operator
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

Tensor = Any

# A Python float is one of 64 bits until it meets an array: `1 - 0.999` is not
# what it is in 32 bits. JAX has no more unless it is asked.
DTYPE = "float32" if keras.config.backend() == "jax" else "float64"


class MemberNumber:
    """Stands in the place of a Python float, such as a layer's `rate`.

    It computes with numbers and arrays as a float does: the result is of the
    array's dtype. Asked by an `if` how large it is, it answers as some number
    between zero and one would, as what is computed for those is right for a
    zero, too.

    Args:
        read: A function that returns its present value, a scalar tensor.
    """

    def __init__(self, read: Callable[[], Tensor]) -> None:
        self._read = read

    @property
    def value(self) -> Tensor:
        return self._read()

    def __tf_tensor__(self, dtype: Any = None, name: Any = None) -> Tensor:
        del name
        return self._cast(dtype.name if dtype is not None else None)

    def __jax_array__(self) -> Tensor:
        return self._cast(None)

    def _cast(self, dtype: str | None) -> Tensor:
        return ops.cast(self.value, dtype or keras.config.floatx())

    def _with(self, other: Any, operation: Callable[..., Any]) -> Any:
        if isinstance(other, (int, float)):
            return MemberNumber(lambda: operation(self.value, other))
        if isinstance(other, MemberNumber):
            return MemberNumber(lambda: operation(self.value, other.value))
        other = ops.convert_to_tensor(other)
        return operation(
            self._cast(keras.backend.standardize_dtype(other.dtype)), other
        )

    def __add__(self, other: Any) -> Any:
        return self._with(other, operator.add)

    def __radd__(self, other: Any) -> Any:
        return self._with(other, operator.add)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, lambda own, other: other - own)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, operator.mul)

    def __rmul__(self, other: Any) -> Any:
        return self._with(other, operator.mul)

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, operator.truediv)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with(other, lambda own, other: other / own)

    def __pow__(self, other: Any) -> Any:
        return self._with(other, operator.pow)

    def __neg__(self) -> "MemberNumber":
        return MemberNumber(lambda: -self.value)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __lt__(self, other: float) -> bool:
        return other >= 1

    def __le__(self, other: float) -> bool:
        return other >= 1

    def __gt__(self, other: float) -> bool:
        return other <= 0

    def __ge__(self, other: float) -> bool:
        return other <= 0


class MemberChoice:
    """Which of several functions a member has, by its number.

    Args:
        number: The number.
    """

    def __init__(self, number: MemberNumber) -> None:
        self._number = number

    def is_own(self, kind: int) -> Tensor:
        """Whether it is that one, a scalar, boolean tensor."""
        return ops.equal(self._number.value, kind)

    def select(self, results: list[Tensor]) -> Tensor:
        """Returns the result of the function that a member has."""
        selected = results[0]
        for kind, result in enumerate(results[1:], start=1):
            selected = ops.where(self.is_own(kind), result, selected)
        return selected
