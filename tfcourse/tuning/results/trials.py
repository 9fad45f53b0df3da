"""What a search found, trial by trial, as its files tell it."""

import csv
import dataclasses
import difflib
import io
import math
import pathlib

from tfcourse.errors import InputError
from tfcourse.tuning.results.manifest import readable_or_input_error
from tfcourse.tuning.search_space.scales import scale_of, to_display
from tfcourse.utils.atomic_files import read_json, write_text

_STATUS = {"COMPLETED": "completed", "FAILED": "failed"}
_FIRST = ("trial", "status", "score")
_OF_GROUP = ("trials", "how", "members", "seconds", "why")
_LAST = ("seconds", "best_epoch", "message")


@dataclasses.dataclass(frozen=True)
class HyperparameterAxis:
    """A hyperparameter: how it was drawn, and so how to show it.

    Attributes:
        name: As a person reads it.
        kind: `"linear"`, `"log"`, `"one_minus_log"` or `"category"`.
        values: The categories, in order; else `None`.
        low: Lower bound of a number, as a person reads it; else `None`.
        high: Upper bound, likewise.
        step: Between the values of a linear scale, or `None`.
        integer: Whether its values are integers.
        when: Name of a parent to the values of it for which this one is there.
        registered: The name under which keras-tuner has it.
    """

    name: str
    kind: str
    values: tuple | None = None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    integer: bool = False
    when: dict = dataclasses.field(default_factory=dict)
    registered: str = ""


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
        best_epoch: Counted from 1; `None` unless completed.
        message: Why it failed.
        curves: Metric name to a value an epoch.
        registered: Name to value, as keras-tuner has them.
    """

    trial: str
    status: str
    score: float | None
    hyperparameters: dict
    seconds: float | None = None
    best_epoch: int | None = None
    message: str = ""
    curves: dict = dataclasses.field(default_factory=dict)
    registered: dict = dataclasses.field(default_factory=dict)


def read_records(project, known=()):
    """Returns the records of a keras-tuner project folder, in order of start.

    Args:
        project: The folder, as `tuner.project_dir`.
        known: What it returned before. Trials that had ended are not read
            again.

    Returns:
        A list of `TrialRecord`.

    Raises:
        InputError: If a file in it cannot be understood.
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
        if folder.name in ended or (folder / "trial.json").exists()
    ]


def trial_order(trial_id):
    """Returns a key that sorts ids by number: keras-tuner pads them with zeros
    to the width of `max_trials`, which may grow.
    """
    return len(trial_id), trial_id


def read_axes(project):
    """Returns a `HyperparameterAxis` for each hyperparameter of a project.

    A name that is registered under several conditions gives one axis, which
    holds the values of all.

    Raises:
        InputError: If its `oracle.json` cannot be understood.
    """
    path = pathlib.Path(project) / "oracle.json"
    with readable_or_input_error(path):
        axes = {}
        for entry in read_json(path)["hyperparameters"]["space"]:
            axis = _axis(entry)
            axes[axis.name] = _union(axes.get(axis.name, axis), axis)
        return list(axes.values())


def read_groups(project):
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
            for group in read_json(path):
                groups.append({name: group[name] for name in _OF_GROUP})
    return groups


def ranked(records, direction):
    """Returns the completed records, the best first.

    Args:
        records: A list of `TrialRecord`.
        direction: `"max"` or `"min"`, of the objective.
    """
    return sorted(
        (
            record
            for record in records
            # keras-tuner takes an infinite score for a completed trial.
            if record.status == "completed" and math.isfinite(record.score)
        ),
        key=lambda record: record.score,
        reverse=direction == "max",
    )


def columns(axes):
    """Returns the names of the columns of a table of records.

    Returns:
        A dict: the name of a column to that of its hyperparameter, or `None`.
    """
    own = (*_FIRST, *_LAST)
    settings = {
        f"hyperparameter {axis.name}" if axis.name in own else axis.name: (
            axis.name
        )
        for axis in axes
    }
    return {**dict.fromkeys(_FIRST), **settings, **dict.fromkeys(_LAST)}


def row(record, axes):
    """Returns a record as a list, in the order of `columns`."""
    return [
        getattr(record, column)
        if name is None
        else record.hyperparameters.get(name)
        for column, name in columns(axes).items()
    ]


def arranged(records, axes, column, direction):
    """Returns the records sorted by a column of their table.

    By `"score"` the best comes first, by another column the least. Records
    that have no such value come last.

    Args:
        records: A list of `TrialRecord`.
        axes: A list of `HyperparameterAxis`.
        column: One of `columns`.
        direction: `"max"` or `"min"`, of the objective.

    Raises:
        InputError: If there is no such column.
    """
    known = list(columns(axes))
    if column not in known:
        near = difflib.get_close_matches(column, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(
            f"There is no column {column!r} to sort by.{hint} Known: "
            f"{', '.join(known)}."
        )
    place = known.index(column)
    cells = [(row(record, axes)[place], record) for record in records]
    having = [cell for cell in cells if cell[0] not in (None, "")]
    if column == "trial":
        having.sort(key=lambda cell: trial_order(cell[0]))
    else:
        having.sort(
            # Categories may mix numbers, words and truth values.
            key=lambda cell: (isinstance(cell[0], str), cell[0]),
            reverse=column == "score" and direction == "max",
        )
    missing = [cell for cell in cells if cell[0] in (None, "")]
    return [record for _, record in having + missing]


def table(records, axes):
    """Returns the records as CSV: id, status, score, settings, time, epoch.

    A cell is empty where a trial has no such value.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns(axes))
    for record in records:
        seconds = record.seconds and round(record.seconds, 3)
        writer.writerow(row(dataclasses.replace(record, seconds=seconds), axes))
    return text.getvalue()


def write_table(records, axes, path):
    """Writes what `table` returns to a file."""
    write_text(path, table(records, axes))


def _read_record(folder):
    path = folder / "trial.json"
    with readable_or_input_error(path):
        state = read_json(path)
        values = state["hyperparameters"]["values"]
        completed = state["status"] == "COMPLETED"
        record = TrialRecord(
            trial=state["trial_id"],
            status=_STATUS.get(state["status"], "unfinished"),
            score=float(state["score"]) if completed else None,
            hyperparameters=dict(to_display(*item) for item in values.items()),
            best_epoch=state["best_step"] + 1 if completed else None,
            message=_reason(state["message"]),
            registered=values,
        )
    path = folder / "history.json"
    with readable_or_input_error(path):
        history = read_json(path) if path.exists() else {}
        return dataclasses.replace(
            record,
            seconds=history.get("seconds"),
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
    registered = config["name"]
    common = {
        "name": to_display(registered, 0)[0],
        "registered": registered,
        "when": {
            condition["config"]["name"]: list(condition["config"]["values"])
            for condition in config.get("conditions", ())
        },
    }
    if entry["class_name"] in ("Choice", "Boolean", "Fixed"):
        values = config.get("values", [config.get("value")])
        if entry["class_name"] == "Boolean":
            values = [False, True]
        return HyperparameterAxis(
            kind="category", values=tuple(values), **common
        )
    bounds = [config["min_value"], config["max_value"]]
    return HyperparameterAxis(
        kind=scale_of(registered, config.get("sampling")),
        low=min(to_display(registered, bound)[1] for bound in bounds),
        high=max(to_display(registered, bound)[1] for bound in bounds),
        step=config.get("step"),
        integer=entry["class_name"] == "Int",
        **common,
    )


def _union(one, other):
    if one.kind != other.kind:
        return one
    when = {
        parent: list(dict.fromkeys([*one.when[parent], *other.when[parent]]))
        for parent in one.when
        if parent in other.when
    }
    if one.kind == "category":
        values = tuple(dict.fromkeys([*one.values, *other.values]))
        return dataclasses.replace(one, values=values, when=when)
    return dataclasses.replace(
        one,
        low=min(one.low, other.low),
        high=max(one.high, other.high),
        step=one.step if one == other else None,
        integer=one.integer and other.integer,
        when=when,
    )
