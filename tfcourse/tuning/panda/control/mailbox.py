"""The commands of other processes to a run, and its answers.

A command is a JSON file in the run's folder `commands`, named so that names
sort by time and no two are equal; the run looks there at the ends of batches,
and answers with a file of the same name in `answers`.
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from tfcourse.utils.atomic_files import read_json, write_json


class Mailbox:
    """The run's end: commands in, answers out.

    Args:
        run_dir: The folder of the run.
    """

    def __init__(self, run_dir: str | os.PathLike[str]) -> None:
        self._commands = pathlib.Path(run_dir) / "commands"
        self._answers = pathlib.Path(run_dir) / "answers"

    def open(self) -> int:
        """Throws away the commands to an earlier process.

        Returns:
            How many commands that were.
        """
        for folder in (self._commands, self._answers):
            folder.mkdir(parents=True, exist_ok=True)
        old = self._waiting()
        for path in [*map(self._commands.joinpath, old), *_json(self._answers)]:
            path.unlink(missing_ok=True)
        return len(old)

    def take(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields the commands that wait, in order, as `(name, dict)`."""
        for name in self._waiting():
            try:
                command = read_json(self._commands / name)
            except FileNotFoundError:
                continue  # Withdrawn.
            except (OSError, ValueError):
                command = {}
            yield name, command if isinstance(command, dict) else {}

    def answer(self, name: str, done: bool, message: str) -> None:
        """Says what became of a command."""
        # First the answer: were a kill to come between the two, the command
        # would go with the run, and the sender knows what was done.
        with contextlib.suppress(OSError):
            write_json(self._answers / name, {"done": done, "message": message})
        (self._commands / name).unlink(missing_ok=True)

    def _waiting(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return sorted(
                name
                for name in os.listdir(self._commands)  # noqa: PTH208 (quick)
                if name.endswith(".json") and not name.startswith(".")
            )
        return []


def _json(folder: pathlib.Path) -> list[pathlib.Path]:
    return list(folder.glob("*.json"))
