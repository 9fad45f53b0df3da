"""The commands of other processes to a run, and its answers.

A command is a JSON file in the run's folder `commands`, named so that names
sort by time and no two are equal; the run looks there at the ends of batches,
and answers with a file of the same name in `answers`. Whatever else lies there
is refused and put aside: no file of another's may end a training.
"""

import contextlib
import errno
import json
import os
import pathlib
import stat
from collections.abc import Iterator
from typing import Any

from tfcourse.errors import InputError
from tfcourse.utils.atomic_files import write_json

# A command of Panda's own has a few hundred bytes.
_MOST_BYTES = 65_536
# So that thousands of them do not keep the training from going on.
_MOST_AT_ONCE = 100
# Absent on Windows, where no folder has pipes.
_CAREFULLY = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_KINDS = {
    **{"command": str, "who": str, "why": str},
    **{"changes": dict, "to": int, "step": int},
}
_NAMES = {str: "text", dict: "object", int: "whole number"}
# An answer longer than this says nothing more.
_MOST_CHARACTERS = 4000


class Mailbox:
    """The run's end: commands in, answers out.

    Args:
        run_dir: The folder of the run.
    """

    def __init__(self, run_dir: str | os.PathLike[str]) -> None:
        self._commands = pathlib.Path(run_dir) / "commands"
        self._answers = pathlib.Path(run_dir) / "answers"
        # What can neither be removed nor renamed is refused once.
        self._stuck: set[str] = set()

    def open(self) -> int:
        """Throws away the commands to an earlier process.

        Returns:
            How many commands that were.
        """
        for folder in (self._commands, self._answers):
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
        old = self._waiting()
        for name in old:
            self._remove(self._commands / name)
        for path in list(self._answers.glob("*.json")):
            self._remove(path)
        return len(old)

    def take(self) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
        """Yields the commands that wait, in order, as `(name, dict)`.

        In place of the dict stands an `InputError` that says what is wrong with
        a file that is no command.
        """
        for name in self._waiting()[:_MOST_AT_ONCE]:
            try:
                yield name, _read(self._commands / name)
            except FileNotFoundError:
                continue  # Withdrawn.
            except InputError as error:
                yield name, error

    def answer(self, name: str, done: bool, message: str) -> None:
        """Says what became of a command."""
        # First the answer: were a kill to come between the two, the command
        # would go with the run, and the sender knows what was done.
        content = {"done": done, "message": message[:_MOST_CHARACTERS]}
        with contextlib.suppress(OSError):
            write_json(self._answers / name, content)
        self._remove(self._commands / name)

    def _waiting(self) -> list[str]:
        with contextlib.suppress(OSError):
            return sorted(
                name
                for name in os.listdir(self._commands)  # noqa: PTH208 (quick)
                if name.endswith(".json")
                and not name.startswith(".")
                and name not in self._stuck
            )
        return []

    def _remove(self, path: pathlib.Path) -> None:
        """Removes a command or an answer; what is neither goes aside."""
        try:
            _read(path)
            path.unlink()
        except FileNotFoundError:
            pass
        except (OSError, InputError):
            try:
                # Names may be as long as a disk takes.
                path.rename(path.with_name(f".refused-{path.name[-200:]}"))
            except OSError:
                self._stuck.add(path.name)


def _read(path: pathlib.Path) -> dict[str, Any]:
    """Returns the command in a file.

    Raises:
        FileNotFoundError: If it is gone.
        InputError: If it is no command.
    """
    try:
        # Neither waits for the other end of a pipe nor follows a link.
        file = os.open(path, os.O_RDONLY | _CAREFULLY)
    except FileNotFoundError:
        raise
    except OSError as error:
        linked = error.errno == errno.ELOOP
        why = "it is a link" if linked else error.strerror
        raise InputError(f"the command cannot be read: {why}") from error
    try:
        return _checked(_parsed(_content(file)))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the command cannot be read: {error}") from error
    finally:
        os.close(file)


def _content(file: int) -> bytes:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is not a file")
    if found.st_size > _MOST_BYTES:
        raise ValueError(f"it has {found.st_size:,} bytes")
    content = b""
    # It may be growing.
    while len(content) <= _MOST_BYTES and (part := os.read(file, _MOST_BYTES)):
        content += part
    return content


def _parsed(content: bytes) -> dict[str, Any]:
    parsed = json.loads(content.decode("utf-8"))
    if not isinstance(parsed, dict):
        raise ValueError("it is not a JSON object")
    return parsed


def _checked(command: dict[str, Any]) -> dict[str, Any]:
    """Returns a command, unless a part of it is of the wrong type."""
    for name, kind in _KINDS.items():
        value = command.get(name)
        # JSON's true is no number.
        if value is not None and type(value) is not kind:
            raise ValueError(f"its {name!r} is no {_NAMES[kind]}")
    return command
