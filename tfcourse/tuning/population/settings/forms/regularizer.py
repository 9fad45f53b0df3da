r"""Regularizers: a sum of $l_1$, $l_2$ and orthogonal ones, none included."""

from typing import Any

import keras
from keras import ops, regularizers

from tfcourse.tuning.population.settings.member_number import (
    MemberChoice,
    MemberNumber,
)
from tfcourse.tuning.population.settings.setting import Form, Kind, Value

_SUFFIX = "_regularizer"
OF_OUTPUTS = "activity_regularizer"
# The attribute of a layer with the weight, where it is not the name before.
_WEIGHTS = {
    "depthwise": ("depthwise_kernel", "kernel"),
    "pointwise": ("pointwise_kernel",),
    "recurrent": ("recurrent_kernel",),
}
_MODES = ("rows", "columns")


class Regularizer(Form):
    """The attribute `..._regularizer` of a layer; None is a strength of zero.

    Each is a sum of four terms, and its numbers are their strengths.
    """

    def read(self, owner: Any, name: str) -> Value | None:
        regularizer = getattr(owner, name)
        kind = type(regularizer)
        if regularizer is None:
            return Value((0.0,) * 4)
        if kind in (regularizers.L1, regularizers.L2, regularizers.L1L2):
            strengths = (getattr(regularizer, n, 0) for n in ("l1", "l2"))
            return Value((*map(float, strengths), 0.0, 0.0))
        if kind is regularizers.OrthogonalRegularizer:
            factor = float(regularizer.factor)
            by_mode = [factor * (regularizer.mode == m) for m in _MODES]
            return Value((0.0, 0.0, *by_mode))
        return None

    def install(
        self,
        owner: Any,
        name: str,
        kinds: list[Kind],
        choice: MemberChoice | None,
    ) -> None:
        regularizer = MemberRegularizer(kinds[0].numbers)
        vars(owner)[name] = regularizer
        if name != OF_OUTPUTS:
            variable = _weight(owner, name.removesuffix(_SUFFIX))
            if variable is not None:
                variable.regularizer = regularizer


class MemberRegularizer:
    """The sum of the terms whose strength is not zero for all members."""

    def __init__(self, strengths: list[float | MemberNumber]) -> None:
        self._terms = [
            (strength, term)
            for strength, term in zip(strengths, _TERMS, strict=True)
            if isinstance(strength, MemberNumber) or strength
        ]

    def __call__(self, x: Any) -> Any:
        return sum(
            ops.cast(strength, x.dtype) * term(x, strength)
            for strength, term in self._terms
        )


def is_regularizer(name: str) -> bool:
    """Whether an attribute of a layer is a regularizer by its name."""
    return name.endswith(_SUFFIX)


def _weight(layer: Any, name: str) -> Any:
    """Returns the variable that a regularizer is for, or None."""
    for attribute in _WEIGHTS.get(name, (name,)):
        variable = getattr(layer, f"_{attribute}", None)
        if variable is None:
            variable = getattr(layer, attribute, None)
        if isinstance(variable, keras.Variable):
            return variable
    return None


def _l1(x: Any, _: Any) -> Any:
    return ops.sum(ops.absolute(x))


def _l2(x: Any, _: Any) -> Any:
    return ops.sum(ops.square(x))


def _rows(x: Any, strength: Any) -> Any:
    return _orthogonal(x, strength, "rows")


def _columns(x: Any, strength: Any) -> Any:
    return _orthogonal(x, strength, "columns")


def _orthogonal(x: Any, strength: Any, mode: str) -> Any:
    # A row of zeros has no direction, nor a slope: none for members without.
    among: Any = ops.cast(strength, x.dtype)
    has = among > 0
    x = ops.where(has, x, ops.ones_like(x))
    return regularizers.OrthogonalRegularizer(1.0, mode)(x)


_TERMS = (_l1, _l2, _rows, _columns)
