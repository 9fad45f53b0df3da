"""The arguments of Panda, checked."""

import dataclasses
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import keras

from tfcourse.tuning.panda.recovery.guard import Guard
from tfcourse.utils.validation import check_flag, check_number

# From the journal's entries of periods to nudges.
Policy = Callable[[list[dict[str, Any]]], Mapping[str, float] | None]

_RISING = ("accuracy", "acc", "auc", "precision", "recall", "f1_score", "iou")


@dataclasses.dataclass(frozen=True)
class Options:
    """The arguments of `Panda`, checked; see there."""

    period: str | int
    keep: int
    guard: Guard | bool
    monitor: str | None
    mode: str | None
    policy: Policy | None
    gradient_norm: bool
    share: float

    def __post_init__(self) -> None:
        if self.period != "epoch":
            self._check_whole("period", "'epoch' or a whole number of batches")
        self._check_whole("keep", "a whole number in [1, inf)")
        check_number(self.share, "share", "Panda", "(0, 1]")
        check_flag(self.gradient_norm, "gradient_norm", "Panda")
        if not isinstance(self.guard, bool | Guard):
            raise self._error(TypeError, "guard", "a Guard, True or False")
        if self.mode not in (None, "min", "max"):
            raise self._error(ValueError, "mode", "'min', 'max' or None")
        if self.policy is not None and not callable(self.policy):
            kind = "a function from the journal to nudges"
            raise self._error(TypeError, "policy", kind)
        if self.gradient_norm and keras.config.backend() != "tensorflow":
            kind = "False on any backend but TensorFlow"
            raise self._error(ValueError, "gradient_norm", kind)

    @property
    def active_guard(self) -> Guard | None:
        """The `Guard` that is meant by `guard`, or `None`."""
        if isinstance(self.guard, Guard):
            return self.guard
        return Guard() if self.guard else None

    def rises(self, metric: str) -> bool:
        """Returns whether more of a metric is better."""
        if self.mode:
            return self.mode == "max"
        return metric.endswith(_RISING)

    def _check_whole(self, name: str, kind: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise self._error(TypeError, name, kind)
        check_number(value, name, "Panda", "[1, inf)")

    def _error(self, error: type[Exception], name: str, kind: str) -> Exception:
        return error(
            f"`{name}` of Panda must be {kind}. Received: "
            f"{name}={getattr(self, name)!r}"
        )
