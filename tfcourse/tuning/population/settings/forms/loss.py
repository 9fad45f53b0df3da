"""Losses, of which each member has one of Keras's own."""

from typing import Any

import keras
from keras import ops

from tfcourse.tuning.population.settings.member_number import MemberChoice
from tfcourse.tuning.population.settings.setting import Form, Kind, Value
from tfcourse.utils.keras_private import (
    compile_argument,
    logits_of,
    loss_arguments,
    mask_of,
    set_logits,
    set_loss,
    set_mask,
    with_loss_arguments,
)

# What Keras resolves by the shape of the targets.
_BY_TARGETS = ("crossentropy", "ce")
_NUMBERS = {
    "alpha",
    "beta",
    "delta",
    "gamma",
    "label_smoothing",
    "margin",
    "q",
    "smooth",
}
# Operations whose result Keras's crossentropies trace back to its logits.
_OF_LOGITS = ("Softmax", "Sigmoid")


class Loss(Form):
    """The one loss that a model is compiled with; its owner is the model."""

    def read(self, owner: Any, name: str) -> Value | None:
        loss = _resolved(owner)
        if loss is None:
            return None
        function, arguments = loss_arguments(loss)
        numbers = _numbers(arguments)
        others = {k: v for k, v in arguments.items() if k not in numbers}
        kind = (
            function,
            loss.reduction,
            str(loss.dtype),
            tuple(sorted((k, repr(v)) for k, v in others.items())),
            tuple(sorted(numbers)),
        )
        return Value(tuple(numbers[k] for k in sorted(numbers)), kind, loss)

    def install(
        self,
        owner: Any,
        name: str,
        kinds: list[Kind],
        choice: MemberChoice | None,
    ) -> None:
        losses = [_with_numbers(kind) for kind in kinds]
        set_loss(owner, ChosenLoss(losses, choice))


class ChosenLoss(keras.losses.Loss):
    """Computes several losses, and gives the one that a member has.

    Attributes:
        losses: All of them.
    """

    def __init__(
        self, losses: list[keras.losses.Loss], choice: MemberChoice | None
    ) -> None:
        super().__init__()
        self.losses = losses
        self._choice = choice

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> Any:
        choice = self._choice
        if choice is None:
            return self.losses[0](y_true, y_pred, sample_weight)
        results: list[Any] = [
            loss(y_true, self._safe(choice, kind, y_pred), sample_weight)
            for kind, loss in enumerate(self.losses)
        ]
        return choice.select([ops.cast(r, results[0].dtype) for r in results])

    def _safe(self, choice: MemberChoice, kind: int, y_pred: Any) -> Any:
        """Returns what a loss can be computed of, for members without it.

        A slope that is not finite times zero would not be zero.
        """
        logits, operation = logits_of(y_pred), getattr(y_pred, "op", None)
        if logits is None and getattr(operation, "type", "") in _OF_LOGITS:
            return y_pred
        is_own = choice.is_own(kind)
        safe = ops.where(is_own, y_pred, ops.full_like(y_pred, 0.5))
        if logits is not None:
            set_logits(safe, ops.where(is_own, logits, ops.zeros_like(logits)))
        if mask_of(y_pred) is not None:
            set_mask(safe, mask_of(y_pred))
        return safe


def _resolved(model: Any) -> keras.losses.Loss | None:
    """Returns the loss of a model if it is one of Keras's own, or None."""
    loss = compile_argument(model, "loss")
    if isinstance(loss, str):
        if loss.lower() in _BY_TARGETS:
            return None
        try:
            loss = keras.losses.get(loss)
        except ValueError:
            return None
    if not _is_keras_own(loss):
        return None
    if not isinstance(loss, keras.losses.Loss):
        loss = _wrapped(loss)
    function, _ = loss_arguments(loss)
    return loss if function is not None and _is_keras_own(function) else None


def _is_keras_own(loss: Any) -> bool:
    if isinstance(loss, keras.losses.Loss):
        loss = type(loss)
    module = getattr(loss, "__module__", None) or ""
    return module.startswith("keras.") and callable(loss)


def _wrapped(function: Any) -> keras.losses.Loss:
    return with_loss_arguments(keras.losses.MeanSquaredError(), function, {})


def _numbers(arguments: dict[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in arguments.items()
        if name in _NUMBERS
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
    }


def _with_numbers(kind: Kind) -> keras.losses.Loss:
    function: Any
    function, arguments = loss_arguments(kind.source)
    names = sorted(_numbers(arguments))
    own = dict(zip(names, kind.numbers, strict=True))
    return with_loss_arguments(kind.source, function, arguments | own)
