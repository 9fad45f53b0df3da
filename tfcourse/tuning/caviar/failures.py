"""When failed trials end a search, and with which error."""

import collections
import contextlib
import itertools
import math
import pathlib
from collections.abc import Iterator
from typing import Any

import keras_tuner

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import Trial, TrialStatus
from tfcourse.tuning.results.trials import TrialRecord, read_records


@contextlib.contextmanager
def failures_allowed(oracle: Any) -> Iterator[None]:
    """While it lasts, the oracle does not count failures in a row.

    Args:
        oracle: The oracle.
    """
    limit = getattr(oracle, "max_consecutive_failed_trials", None)
    oracle.max_consecutive_failed_trials = math.inf
    try:
        yield
    finally:
        oracle.max_consecutive_failed_trials = limit


def refuse_failures_in_a_row(
    oracle: keras_tuner.Oracle, batch: list[Trial]
) -> None:
    """Raises the error of an oracle, if too many trials failed in a row.

    Args:
        oracle: The oracle.
        batch: The trials that ended last: if one of them completed, those that
            failed are not counted.

    Raises:
        RuntimeError: If so.
    """
    if any(trial.status == TrialStatus.COMPLETED for trial in batch):
        return
    ended = [oracle.trials[i] for i in reversed(oracle.end_order)]
    failed = list(
        itertools.takewhile(lambda t: t.status == TrialStatus.FAILED, ended)
    )
    limit = oracle.max_consecutive_failed_trials
    if len(failed) >= limit:
        raise RuntimeError(
            f"The last {len(failed)} trials failed, where the oracle allows "
            f"{limit - 1} in a row (`max_consecutive_failed_trials`).\n"
            + (failed[0].message or "")
        )


class AllTrialsFailedError(InputError):
    """All trials of a search have failed."""


def refuse_all_failed(
    oracle: keras_tuner.Oracle, project: str | pathlib.Path
) -> None:
    """Raises an `AllTrialsFailedError` if no trial of a search completed.

    Args:
        oracle: Its oracle.
        project: Its project folder.
    """
    statuses = {trial.status for trial in oracle.trials.values()}
    if statuses != {TrialStatus.FAILED}:
        return
    records = read_records(project)
    reason = records[0].message and f" The first one: {records[0].message}."
    raise AllTrialsFailedError(
        f"None of the {len(records)} trials completed.{reason}"
        f"{learning_rates(records)}"
    )


def learning_rates(records: list[TrialRecord]) -> str:
    """Returns between what learning rates records lie, as sentences."""
    tried = collections.defaultdict(list)
    for record in records:
        for name, value in record.hyperparameters.items():
            if "learning_rate" in name or name in ("lr", "alpha"):
                tried[name].append(value)
    return "".join(
        f" {name} was between {min(values):.3g} and {max(values):.3g}."
        for name, values in tried.items()
    )
