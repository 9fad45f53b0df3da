"""The record of how the trials of a search were trained, `groups.json`."""

import dataclasses
import logging
import pathlib

import keras_tuner

from tfcourse.tuning._keras_tuner import is_worker
from tfcourse.utils.atomic_files import read_json, write_json

_log = logging.getLogger("tfcourse.tuning.caviar")


@dataclasses.dataclass(frozen=True)
class GroupRecord:
    """How some trials were trained.

    Attributes:
        trials: Their ids.
        members: How many models were trained.
        how: `"vectorised"`, `"vectorised with a loop"` or `"alone"`.
        seconds: How long it took.
        why: Why not otherwise, or `""`.
    """

    trials: list[str]
    members: int
    how: str
    seconds: float
    why: str


def log_group(tuner: keras_tuner.Tuner, record: GroupRecord) -> None:
    """Adds a record to the `groups` of a `Caviar`, their file and the log."""
    tuner.groups.append(dataclasses.asdict(record))
    write_json(_groups_file(tuner), tuner.groups)
    count = len(record.trials)
    _log.log(
        logging.INFO if record.how == "vectorised" else logging.WARNING,
        "%d trial%s %s, %.1f s%s",
        count,
        "" if count == 1 else "s",
        "trained alone" if record.how == "alone" else record.how,
        record.seconds,
        f", because {record.why}" if record.why else "",
    )


def read_groups_of(tuner: keras_tuner.Tuner) -> list[dict]:
    """Returns the records of a tuner's project; of a worker, its own ones."""
    files = sorted(pathlib.Path(tuner.project_dir).glob("groups*.json"))
    if is_worker(tuner):
        files = [path for path in files if path == _groups_file(tuner)]
    return [group for path in files for group in read_json(path)]


def _groups_file(tuner: keras_tuner.Tuner) -> pathlib.Path:
    suffix = f"-{tuner.tuner_id}" if is_worker(tuner) else ""
    return pathlib.Path(tuner.project_dir, f"groups{suffix}.json")
