"""Steers a run that goes on, from another process."""

import getpass
import os
import socket
import time
import uuid
from collections.abc import Mapping
from typing import Any

from tfcourse.errors import InputError
from tfcourse.tuning.panda.control.run_folder import is_alive, run_folder
from tfcourse.utils.atomic_files import read_json, write_json


class Remote:
    """Steers a run while it trains, from any process that sees its folder.

    Each method returns once the run has done it, with a sentence that says
    what was done.

    Args:
        run_dir: The folder of the run.
        timeout: For how many seconds to wait for the run, which looks for
            commands between batches.
        who: Who is steering, for the journal.

    Raises:
        InputError: By each method, if no run is alive in the folder, if it
            refuses, or if it has not answered in time.

    Example:

    >>> remote = Remote("runs/digits")
    >>> remote.set(learning_rate=3e-4, why="the loss is noisy")
    'learning_rate 0.001 → 0.0003'
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        timeout: float = 60.0,
        who: str | None = None,
    ) -> None:
        self._folder = run_folder(run_dir)
        self._timeout = timeout
        self._who = who or _user()

    def set(
        self,
        changes: Mapping[str, float] | None = None,
        *,
        why: str | None = None,
        **more: float,
    ) -> str:
        """Sets hyperparameters, by name: all of them, or none.

        Args:
            changes: A dict from name to value.
            why: For the journal.
            **more: Changes whose names are Python's too.
        """
        changes = {**(changes or {}), **more}
        return self.send("set", why=why, changes=changes)

    def rollback(
        self,
        to: int | None = None,
        *,
        step: int | None = None,
        changes: Mapping[str, float] | None = None,
        why: str | None = None,
    ) -> str:
        """Goes back to a checkpoint, and continues from there.

        Args:
            to: The number of finished epochs to go back to. By default the
                newest checkpoint.
            step: The step instead.
            changes: What to set then, a dict from name to value.
            why: For the journal.
        """
        return self.send(
            "rollback", why=why, to=to, step=step, changes=changes or {}
        )

    def pause(self, why: str | None = None) -> str:
        """Pauses the run between two batches."""
        return self.send("pause", why=why)

    def resume(self, why: str | None = None) -> str:
        """Lets a paused run continue."""
        return self.send("resume", why=why)

    def stop(self, why: str | None = None) -> str:
        """Ends the run after a checkpoint, from which it can be continued."""
        return self.send("stop", why=why)

    def send(self, command: str, **details: Any) -> str:
        """Sends a command, named as the method, and waits for the answer."""
        if not is_alive(self._folder):
            raise InputError(
                f"No run is alive in {self._folder}. Start its script again: "
                "it continues from its last checkpoint."
            )
        # Zeros in front, so that names sort as numbers do.
        name = f"{time.time_ns():020}-{os.getpid()}-{uuid.uuid4().hex}.json"
        content = {"command": command, "who": self._who, **details}
        write_json(self._folder / "commands" / name, content)
        answer = self._wait_for(name)
        if not answer["done"]:
            raise InputError(f"Refused: {answer['message']}")
        return answer["message"]

    def _wait_for(self, name: str) -> dict[str, Any]:
        path = self._folder / "answers" / name
        sent = self._folder / "commands" / name
        end = time.monotonic() + self._timeout
        wait = 0.01
        while not path.exists():
            late = time.monotonic() > end
            gone = not late and wait > 0.1 and not is_alive(self._folder)
            if (late or gone) and not path.exists():
                sent.unlink(missing_ok=True)
                raise InputError(
                    f"The run in {self._folder} "
                    + (
                        "ended before it took the command."
                        if gone
                        else "is alive but has not reached the end of a batch "
                        f"in {self._timeout:g} s; the command is "
                        "withdrawn. Try again with a longer --timeout."
                    )
                )
            time.sleep(wait)
            wait = min(2 * wait, 0.2)
        answer = read_json(path)
        path.unlink(missing_ok=True)
        return answer


def _user() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "somebody"
    return f"{name}@{socket.gethostname()}"
