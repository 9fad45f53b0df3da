"""The record of how the trials of a search were trained, `groups.json`."""

import dataclasses
import itertools
import logging
import pathlib
from collections.abc import Iterator

import keras_tuner

from tfcourse.tuning.results.trials import GROUPS
from tfcourse.utils.atomic_files import read_json, set_aside, write_json

_log = logging.getLogger("tfcourse.tuning.caviar")
_FILE = "groups.json"
# Trials that one program trains one after the other.
BY_ONE_STEP = "by one step"


@dataclasses.dataclass(frozen=True)
class GroupRecord:
    """How some trials were trained.

    Attributes:
        trials: Their ids.
        members: How many models were trained.
        how: `"vectorised"`, `"vectorised with a loop"`, `"by one step"` or
            `"alone"`.
        seconds: How long it took.
        why: Why not otherwise, or `""`.
        verified: How many of the models were compared with Keras's own; see
            `Verification`.
        advice: What to change so that they are trained with others, or `""`.
        program: The name of the program that trained them, or `""` if none
            did. Trials of other batch sizes, or of a later round, may be of the
            same.
    """

    trials: list[str]
    members: int
    how: str
    seconds: float
    why: str
    verified: int = 0
    advice: str = ""
    program: str = ""
    node: str = ""
    attempts: int = 1


class GroupsLog:
    """The records of a search, in `groups.json` of its project.

    Args:
        tuner: The tuner.

    Attributes:
        groups: A list of `GroupRecord`s as dicts.
    """

    def __init__(self, tuner: keras_tuner.Tuner) -> None:
        self._tuner = tuner
        self.groups: list[dict] = []

    def add(self, record: GroupRecord) -> None:
        """Adds a record to the list, to its file and to Python's log."""
        known = {(group["how"], group["why"]) for group in self.groups[-1:]}
        if not self._goes_on(record):
            self.groups.append(dataclasses.asdict(record))
        write_json(self._path, self.groups)
        count = len(record.trials)
        # That trials come one by one is told once.
        told = count == 1 and (record.how, record.why) in known
        _log.log(
            logging.INFO
            if told or record.how == "vectorised"
            else logging.WARNING,
            "%d trial%s %s%s, %.1f s%s%s",
            count,
            "" if count == 1 else "s",
            "trained alone" if record.how == "alone" else record.how,
            f" by program {record.program}" if record.program else "",
            record.seconds,
            f", because {record.why}" if record.why else "",
            f" ({record.advice})" if record.advice else "",
        )

    def _goes_on(self, record: GroupRecord) -> bool:
        """Whether trials come one by one, and are added to those before."""
        *_, last = [{}, *self.groups]
        new = dataclasses.asdict(record)
        alike = "how", "why", "advice", "program"
        if record.how != BY_ONE_STEP or any(
            last.get(name) != new[name] for name in alike
        ):
            return False
        for name in ("trials", "members", "seconds", "verified"):
            last[name] = last[name] + new[name]
        return True

    def new_names(self) -> Iterator[str]:
        """Yields names for further programs, which no record has."""
        known = {group.get("program") for group in self.groups}
        names = map(str, itertools.count(1))
        return (name for name in names if name not in known)

    def reload(self) -> None:
        """Reads the records of a project."""
        self.groups, path = [], self._path
        if not path.exists():
            return
        try:
            self.groups = read_json(path, GROUPS)
        except (OSError, ValueError) as error:
            # It tells how trials were trained, and no trial needs it.
            aside = set_aside(path)
            _log.error("%s is damaged, and now %s: %s", path, aside, error)

    @property
    def _path(self) -> pathlib.Path:
        return pathlib.Path(self._tuner.project_dir, _FILE)
