"""What all batches of a search have in common, and what cannot be shared."""

from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.tuning.caviar.executors.interface import Shared, keras_settings
from tfcourse.tuning.tuners.serial import SerialTuner

# What a tuner may override only where it trains itself.
_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_epoch_begin",
    "on_epoch_end",
    "load_model",
    "save_model",
)
# They write files, where the worker is.
_WRITERS = (
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.BackupAndRestore,
    keras.callbacks.CSVLogger,
    keras.callbacks.TensorBoard,
    keras.callbacks.RemoteMonitor,
)


def shared_of(
    tuner: Any,
    on_workers: type,
    settings: dict[str, Any],
    args: tuple,
    kwargs: dict[str, Any],
) -> Shared:
    """Returns what all jobs of a search have in common.

    Args:
        tuner: The tuner that searches.
        on_workers: The class that trains batches for it.
        settings: What that one is made with, beside what every tuner has.
        args: The positional arguments of the search.
        kwargs: The others.

    Raises:
        InputError: If something of the search cannot be had elsewhere.
    """
    _refuse(tuner, on_workers, kwargs)
    of_tuners = {
        name: getattr(tuner, name)
        for name in (
            "hypermodel",
            "executions_per_trial",
            "max_model_size",
            "optimizer",
            "loss",
            "metrics",
            "break_ties_by",
        )
    }
    return Shared(
        on_workers,
        of_tuners | settings,
        tuner.oracle.objective,
        tuner.oracle.seed,
        args,
        kwargs,
        keras_settings(),
    )


def _refuse(tuner: Any, own: type, kwargs: dict[str, Any]) -> None:
    found = ""
    if tuner.distribution_strategy is not None:
        found = "a tuner with a `distribution_strategy`"
    theirs = {"run_trial": own, **dict.fromkeys(_HOOKS, SerialTuner)}
    for name, base in theirs.items():
        if getattr(type(tuner), name) is not getattr(base, name):
            found = f"{type(tuner).__name__}, which overrides `{name}`,"
    for callback in kwargs.get("callbacks") or []:
        if isinstance(callback, _WRITERS):
            found = (
                f"the callback {type(callback).__name__}, which writes files "
                "where the worker is,"
            )
    if found:
        raise InputError(
            f"Trials trained by workers cannot have {found} because the "
            "search is in another process: leave it out, or search without "
            "`executor` and `ahead`."
        )
