"""The trials of a search, read from the files of a keras-tuner project."""

import dataclasses
import math
import pathlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from tfcourse.tuning.results.manifest import readable_or_input_error
from tfcourse.tuning.search_space.scales import to_display
from tfcourse.utils.atomic_files import read_json
from tfcourse.utils.shapes import DAMAGED, SCALAR
from tfcourse.utils.text import first_line

_STATUS = {"COMPLETED": "completed", "FAILED": "failed"}
_OF_GROUP = ("trials", "how", "members", "seconds", "why")
# What the files of a trial have, and that of groups.
_TRIAL = {
    "trial_id": str,
    "hyperparameters": {"values": {str: SCALAR}},
    "status": str,
    "score": (float, None),
    "best_step": (int, None),
    "message?": (str, None),
}
# A metric may have a value for each class.
_CURVE = [(float, None, [(float, None)])]
_HISTORY = {
    "seconds?": float,
    "ended?": float,
    "best_epoch?": int,
    "history?": {str: _CURVE},
    "objective_of_models?": [_CURVE],
}
GROUPS = [
    {
        "trials": [str],
        **dict.fromkeys(("how", "why", "advice?", "program?"), str),
        "members": int,
        "seconds": float,
        "node?": str,
        "attempts?": int,
    }
]
# How a group was trained that no program trained.
ALONE = "alone"

# What decides among equals: the first that a search knows. Spaces with
# penalties report the first: a penalty must not choose its own strength.
DEV_LOSSES = ("val_cross_entropy", "val_loss")


@dataclasses.dataclass(frozen=True)
class TrialRecord:
    """One trial.

    Attributes:
        trial: Its id.
        status: `"completed"`, `"failed"`, or `"unfinished"`.
        score: The objective at the best epoch; `None` unless completed.
        hyperparameters: Name to value, as a person reads them.
        seconds: Wall time of its training, or `None`. Trials that trained
            together share their time equally.
        best_epoch: Whose weights are kept, counted from 1; `None` unless
            completed.
        message: Why it failed, or why nothing is known of it.
        curves: Metric name to a value an epoch.
        of_models: The objective's curve of each model, where the trial had
            several: of each execution those of its folds.
        registered: Name to value, as keras-tuner has them.
        ended: When its training ended, in seconds since 1970; when its file
            was written, if that is not known.
        damaged: Whether its files cannot be read. It counts as unfinished, as
            a search that goes on runs it again.
    """

    trial: str
    status: str
    score: float | None
    hyperparameters: dict[str, Any]
    seconds: float | None = None
    best_epoch: int | None = None
    message: str = ""
    curves: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    of_models: list[list[float]] = dataclasses.field(default_factory=list)
    registered: dict[str, Any] = dataclasses.field(default_factory=dict)
    ended: float | None = None
    damaged: bool = False


def read_records(
    project: str | pathlib.Path, known: Sequence[TrialRecord] = ()
) -> list[TrialRecord]:
    """Returns the records of a keras-tuner project folder, in order of start.

    Args:
        project: The folder, as `tuner.project_dir`.
        known: What it returned before. Trials that had ended are not read
            again.

    Returns:
        A list of `TrialRecord`, also of those whose files are damaged.
    """
    folders = sorted(
        pathlib.Path(project).glob("trial_*"),
        key=lambda folder: trial_order(folder.name),
    )
    ended = {
        f"trial_{record.trial}": record
        for record in known
        if record.status != "unfinished"
    }
    return [
        ended.get(folder.name) or _read_record(folder)
        for folder in folders
        # One that begins has a folder before it has a file in it.
        if folder.name in ended or any(folder.iterdir())
    ]


def trial_order(trial_id: str) -> tuple[int, str]:
    """Returns a key that sorts ids by number: keras-tuner pads them with zeros
    to the width of `max_trials`, which may grow.
    """
    return len(trial_id), trial_id


def read_groups(project: str | pathlib.Path) -> list[dict[str, Any]]:
    """Returns how the trials of a project folder were trained.

    Returns:
        A list of dicts, as `Caviar.groups`; empty if each was trained by
        itself.

    Raises:
        InputError: If a file of them cannot be understood.
    """
    groups = []
    for path in sorted(pathlib.Path(project).glob("groups*.json")):
        with readable_or_input_error(path):
            for group in read_json(path, GROUPS):
                record = {name: group[name] for name in _OF_GROUP}
                # Which searches of older versions have not.
                record["advice"] = group.get("advice", "")
                record["node"] = group.get("node", "")
                record["attempts"] = group.get("attempts", 1)
                alone = record["how"] == ALONE
                unknown = "" if alone else f"{path.name} {len(groups)}"
                record["program"] = group.get("program", unknown)
                groups.append(record)
    return groups


def count_programs(groups: Iterable[dict[str, Any]]) -> int:
    """Returns how many programs trained the trials of some groups."""
    return len({g["program"] for g in groups if g["how"] != ALONE})


def count_alone(
    records: Iterable[TrialRecord], groups: Iterable[dict[str, Any]]
) -> int:
    """Returns how many of the trials no program trained.

    Args:
        records: All trials.
        groups: As `read_groups`: those that were trained in groups.
    """
    together = {t for g in groups if g["how"] != ALONE for t in g["trials"]}
    return sum(record.trial not in together for record in records)


def ranked(records: Iterable[TrialRecord], direction: str) -> list[TrialRecord]:
    """Returns the completed records, the best first.

    Of equal scores the one with the lower loss on the development set leads:
    few examples make few accuracies, and who reached one first is chance.

    Args:
        records: A list of `TrialRecord`.
        direction: `"max"` or `"min"`, of the objective.
    """
    sign = -1 if direction == "max" else 1
    return sorted(
        (
            record
            for record in records
            # keras-tuner takes an infinite score for a completed trial.
            if record.status == "completed" and math.isfinite(record.score)
        ),
        key=lambda record: (sign * record.score, _loss(record)),
    )


def _loss(record):
    """Returns the loss on the development set in the best epoch."""
    names = (name for name in DEV_LOSSES if name in record.curves)
    losses = record.curves.get(next(names, ""), [])
    epoch = record.best_epoch or 0
    loss = losses[epoch - 1] if 0 < epoch <= len(losses) else math.inf
    return math.inf if loss is None or math.isnan(loss) else loss


def mean_seconds(records: Iterable[TrialRecord]) -> float:
    """Returns how long a trial trained, on average; 0 if it is not known."""
    seconds = [r.seconds for r in records if r.seconds is not None]
    return sum(seconds) / len(seconds) if seconds else 0.0


def _read_record(folder):
    path = folder / "trial.json"
    try:
        record = _record_of(folder, read_json(path, _TRIAL))
        path = folder / "history.json"
        history = read_json(path, _HISTORY) if path.exists() else {}
    except (OSError, *DAMAGED) as error:
        why = getattr(error, "strerror", None) or first_line(error)
        return TrialRecord(
            trial=folder.name.removeprefix("trial_"),
            status="unfinished",
            score=None,
            hyperparameters={},
            message=f"{path} is damaged: {why}",
            damaged=True,
        )
    return dataclasses.replace(
        record,
        best_epoch=record.best_epoch
        and history.get("best_epoch", record.best_epoch),
        seconds=history.get("seconds"),
        ended=history.get("ended", record.ended),
        curves=history.get("history", {}),
        of_models=history.get("objective_of_models", []),
    )


def _record_of(folder, state):
    values = state["hyperparameters"]["values"]
    completed = state["status"] == "COMPLETED"
    return TrialRecord(
        # What the file says may be no name of a file, or of another trial.
        trial=folder.name.removeprefix("trial_"),
        status=_STATUS.get(state["status"], "unfinished"),
        score=float(state["score"]) if completed else None,
        hyperparameters=dict(to_display(*item) for item in values.items()),
        best_epoch=state["best_step"] + 1 if completed else None,
        message=_reason(state["message"]),
        registered=values,
        ended=(folder / "trial.json").stat().st_mtime,
    )


def _reason(traceback):
    """Returns the error at the end of a traceback, its first line."""
    lines = (traceback or "").strip().splitlines()
    # The error begins in the last line that is neither indented nor empty and
    # follows one that is; what comes after it is the rest of its message.
    starts = [
        n
        for n, line in enumerate(lines)
        if line[:1].strip() and (n == 0 or lines[n - 1][:1] == " ")
    ]
    if not starts:
        return ""
    # keras-tuner's own error says no more than that the trial failed.
    first, *rest = lines[starts[-1] :]
    if first.endswith(":"):
        # TensorFlow says what it was only after the calls that led there.
        first = f"{first} {first_line(chr(10).join(rest))}"
    return re.sub(r"^[\w.]*FailedTrialError: ", "", first)
