"""Which trials are trained with which: `batches.json` of a project.

    {"population": 16, "ahead": null,
     "batches": [[["00", "01", "02"], ["03"]], ...]}

A list for each batch, in the order of asking, of lists of ids: those that may
be trained together, and each that trains alone. It is written before a batch is
given out, so that a search that goes on makes the same batches.
"""

import pathlib
from typing import Any

from tfcourse.errors import InputError
from tfcourse.utils.atomic_files import read_json, write_json

FILE = "batches.json"
_SHAPE = {
    "population": int,
    "ahead": (int, None),
    "batches": [[[str]]],
}
# How it is written that all is asked that the oracle gives.
ALL = None


class Batches:
    """The batches of a search.

    Args:
        project: The project folder.

    Attributes:
        population: How many trials are asked for at once, or None if there is
            no file.
        ahead: How many batches may be asked for beyond the last one told;
            None for any number.
        jobs: For each batch a list of lists of ids.
    """

    def __init__(self, project: str | pathlib.Path) -> None:
        self._path = pathlib.Path(project, FILE)
        self.population: int | None = None
        self.ahead: int | None = ALL
        self.jobs: list[list[list[str]]] = []
        if self._path.exists():
            self._read()

    def _read(self) -> None:
        try:
            found: dict[str, Any] = read_json(self._path, _SHAPE)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self._path} is damaged: {error}. Restore it, or delete it: "
                "unfinished trials are then grouped anew."
            ) from error
        self.population, self.ahead = found["population"], found["ahead"]
        self.jobs = found["batches"]

    def begin(self, population: int, ahead: int | None) -> None:
        """Settles how trials are asked for, for good."""
        self.population, self.ahead = population, ahead
        self._write()

    def add(self, jobs: list[list[str]]) -> int:
        """Writes down a batch; returns its number."""
        self.jobs.append(jobs)
        self._write()
        return len(self.jobs) - 1

    def _write(self) -> None:
        write_json(
            self._path,
            {
                "population": self.population,
                "ahead": self.ahead,
                "batches": self.jobs,
            },
        )


def settled(
    batches: Batches,
    population: int | None,
    ahead: int | None,
    usual: tuple[int, int | None],
) -> None:
    """Settles the sizes of a search; a search that goes on has its own.

    Args:
        batches: The batches of its project.
        population: How many trials make a batch; None if nobody says.
        ahead: Likewise.
        usual: What they are then, if the search is new.

    Raises:
        InputError: If the search was begun with others.
    """
    if batches.population is None:
        batches.begin(
            usual[0] if population is None else population,
            usual[1] if ahead is None else ahead,
        )
        return
    for name, given in (("population", population), ("ahead", ahead)):
        known = getattr(batches, name)
        if given is not None and given != known:
            raise InputError(
                f"The search was started with {name}={known}, on which its "
                f"trials depend. Leave out {name}, or start anew in another "
                f"folder. Received: {name}={given}"
            )
