"""Which callbacks are called for each member, and which send a trial apart."""

import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import keras
from keras.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.caviar.callbacks.code import why_it_is_not_known

# What is called for each member, of all that Keras calls.
_CALLED = {
    "on_epoch_begin",
    "on_epoch_end",
    "on_train_begin",
    "on_train_end",
    "set_model",
    "set_params",
}
# Returns why a callback of one of Keras's classes sends a trial apart.
_Check = Callable[[Any], str | None]


def _saves_by_batches(callback: Any) -> str | None:
    return None if callback.save_freq == "epoch" else "saves between epochs"


def _may_restore(callback: Any) -> str | None:
    if pathlib.Path(callback.backup_dir).exists():
        return "has something to restore"
    if not callback.delete_checkpoint:
        return "keeps what it has backed up"
    return _saves_by_batches(callback)


# Of Keras's own, others know more than what a member has.
_OF_KERAS: dict[type, _Check] = {
    BackupAndRestore: _may_restore,
    CSVLogger: lambda callback: None,
    EarlyStopping: lambda callback: None,
    History: lambda callback: None,
    LambdaCallback: why_it_is_not_known,
    LearningRateScheduler: why_it_is_not_known,
    ModelCheckpoint: _saves_by_batches,
    ReduceLROnPlateau: lambda callback: None,
    TerminateOnNaN: lambda callback: None,
}
# A diverged member is stopped anyhow, no member is backed up, and each has a
# history already.
_WITHOUT_EFFECT = TerminateOnNaN, BackupAndRestore, History


def called_for_members(callbacks: Iterable[Any]) -> list[Callback]:
    """Returns the callbacks that are called for each member.

    Args:
        callbacks: What was given to `fit`.

    Raises:
        CannotVectorize: If with one of them a trial must be trained alone.
    """
    found = []
    for callback in callbacks:
        why = _why_not(callback)
        if why:
            raise CannotVectorize(
                f"the callback {type(callback).__name__} {why}"
            )
        if type(callback) not in _WITHOUT_EFFECT:
            found.append(callback)
    return found


def is_of_keras(callback: Callback) -> bool:
    """Whether a callback is one of Keras's, without code of the user's."""
    return type(callback) in _OF_KERAS and not isinstance(
        callback, LambdaCallback
    )


def _why_not(callback: Any) -> str | None:
    if not isinstance(callback, Callback):
        return "is not a callback of Keras"
    own = _overridden(callback)
    check = _OF_KERAS.get(type(callback))
    if check is None and type(callback).__module__.split(".")[0] == "keras":
        return "needs a live model"
    # Keras's own override others that do nothing after an epoch.
    beyond = sorted(own - _CALLED) if check is not _saves_by_batches else []
    if beyond and type(callback) not in _WITHOUT_EFFECT:
        return f"has `{beyond[0]}`, and needs a live model"
    why = (check or why_it_is_not_known)(callback)
    return why and f"{why}: it needs a live model"


def _overridden(callback: Callback) -> set[str]:
    """Returns which of Keras's methods a callback has of its own."""
    known = {name for name in dir(Callback) if name.startswith(("on_", "set_"))}
    return {
        name
        for name in known
        if name in vars(callback)
        or getattr(type(callback), name) is not getattr(Callback, name)
    }


def stops_by_itself(callbacks: list[Callback]) -> EarlyStopping | None:
    """Returns the one early stopping that a population has of its own.

    It may stand for Keras's where no code of the user's sees what it does.
    """
    found = [c for c in callbacks if type(c) is EarlyStopping]
    if len(found) == 1 and all(map(is_of_keras, callbacks)):
        return found[0]
    return None


def patience(epochs: int, validates: bool) -> EarlyStopping:
    """Returns the callback that a number of epochs stands for."""
    return keras.callbacks.EarlyStopping(
        "val_loss" if validates else "loss", patience=epochs
    )
