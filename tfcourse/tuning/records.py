"""What a search found, trial by trial, as its files tell it."""

import csv
import dataclasses
import io
import pathlib

from tfcourse.files import read_json, write_text
from tfcourse.tuning.scales import axis_of, present

_STATUS = {"COMPLETED": "completed", "FAILED": "failed"}


@dataclasses.dataclass(frozen=True)
class Axis:
    """How to draw a hyperparameter.

    Attributes:
        name: As a person reads it.
        kind: `"linear"`, `"log"`, `"one_minus_log"` or `"category"`.
        values: The categories, in order; else `None`.
    """

    name: str
    kind: str
    values: tuple | None = None


@dataclasses.dataclass(frozen=True)
class Record:
    """One trial.

    Attributes:
        trial: Its id.
        status: `"completed"`, `"failed"`, or `"unfinished"`.
        score: The objective at the best epoch; `None` unless completed.
        hyperparameters: Name to value, as a person reads them.
        seconds: Wall time of its training, or `None`.
        best_epoch: Counted from 1; `None` unless completed.
        message: Why it failed.
        curves: Metric name to a value an epoch.
    """

    trial: str
    status: str
    score: float | None
    hyperparameters: dict
    seconds: float | None = None
    best_epoch: int | None = None
    message: str = ""
    curves: dict = dataclasses.field(default_factory=dict)


def read_records(project):
    """Returns the records of a keras-tuner project folder, in order of start.

    Args:
        project: The folder, as `tuner.project_dir`.

    Returns:
        A list of `Record`.
    """
    folders = sorted(
        pathlib.Path(project).glob("trial_*"),
        key=lambda folder: in_order(folder.name),
    )
    return [
        _record(read_json(folder / "trial.json"), _history(folder))
        for folder in folders
        if (folder / "trial.json").exists()
    ]


def in_order(trial_id):
    """Returns a key that sorts ids by number: keras-tuner pads them with zeros
    to the width of `max_trials`, which may grow.
    """
    return len(trial_id), trial_id


def read_axes(project):
    """Returns an `Axis` for each hyperparameter of a project folder."""
    space = read_json(pathlib.Path(project) / "oracle.json")["hyperparameters"]
    axes = [_axis(entry) for entry in space["space"]]
    return list({axis.name: axis for axis in axes}.values())


def ranked(records, direction):
    """Returns the completed records, the best first.

    Args:
        records: A list of `Record`.
        direction: `"max"` or `"min"`, of the objective.
    """
    return sorted(
        (record for record in records if record.status == "completed"),
        key=lambda record: record.score,
        reverse=direction == "max",
    )


def write_table(records, axes, path):
    """Writes the records as CSV: id, status, score, settings, time, epoch.

    A cell is empty where a trial has no such value.
    """
    names = [axis.name for axis in axes]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["trial", "status", "score", *names, "seconds", "best_epoch", "message"]
    )
    for record in records:
        settings = [record.hyperparameters.get(name) for name in names]
        seconds = record.seconds and round(record.seconds, 3)
        table.writerow(
            [
                *(record.trial, record.status, record.score),
                *settings,
                *(seconds, record.best_epoch, record.message),
            ]
        )
    write_text(path, text.getvalue())


def _history(folder):
    path = folder / "history.json"
    return read_json(path) if path.exists() else {}


def _record(state, history):
    completed = state["status"] == "COMPLETED"
    return Record(
        trial=state["trial_id"],
        status=_STATUS.get(state["status"], "unfinished"),
        score=state["score"] if completed else None,
        hyperparameters=dict(
            present(name, value)
            for name, value in state["hyperparameters"]["values"].items()
        ),
        seconds=history.get("seconds"),
        best_epoch=state["best_step"] + 1 if completed else None,
        message=_reason(state["message"]),
        curves=history.get("history", {}),
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
    first = lines[starts[-1]]
    return first.removeprefix("keras_tuner.src.errors.FailedTrialError: ")


def _axis(entry):
    config = entry["config"]
    name, _ = present(config["name"], 0)
    if entry["class_name"] in ("Choice", "Boolean", "Fixed"):
        values = config.get("values", [config.get("value")])
        if entry["class_name"] == "Boolean":
            values = [False, True]
        return Axis(name, "category", tuple(values))
    return Axis(name, axis_of(config["name"], config.get("sampling")))
