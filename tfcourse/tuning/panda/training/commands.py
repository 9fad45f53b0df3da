"""Carries out the commands of other processes."""

import time
from typing import Any

from tfcourse.errors import InputError
from tfcourse.tuning.panda.control.mailbox import Mailbox
from tfcourse.tuning.panda.training.run import PandaRun
from tfcourse.tuning.panda.training.steering import Steering
from tfcourse.utils.text import printable

SECONDS_BETWEEN_LOOKS = 0.1
# Of what others have written, so much goes into the journal.
_MOST_CHARACTERS = 1000


class Commands:
    """Looks for commands, and hands them to the steering.

    Args:
        run: The `PandaRun`.
        steering: Its `Steering`.
    """

    def __init__(self, run: PandaRun, steering: Steering) -> None:
        self._run = run
        self._steering = steering
        self._next_look = 0.0
        self._mailbox = Mailbox(run.folder)
        left_over = self._mailbox.open()
        if left_over:
            why = f"{left_over} commands that an earlier process left"
            run.recorder.event("discard", why)

    def look_if_due(self) -> None:
        """Looks unless it did a moment ago; costs nothing then."""
        if time.monotonic() >= self._next_look:
            self.look()

    def look(self) -> None:
        """Carries out all commands, and waits as long as the run is paused."""
        run = self._run
        self._do_all()
        if run.state == "paused":
            run.publish()
            with run.manager.budget.outside():
                while run.state == "paused":
                    time.sleep(SECONDS_BETWEEN_LOOKS / 2)
                    self._do_all()
            run.publish()
        self._next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS

    def _do_all(self) -> None:
        for name, command in self._mailbox.take():
            try:
                if isinstance(command, InputError):
                    raise command
                done, message = True, self._do(command)
            except InputError as error:
                done, message = False, printable(str(error))[:_MOST_CHARACTERS]
                who = _about(command)["who"]
                self._run.recorder.event("refuse", message, who)
            # First, so that the sender finds it so after the answer.
            self._run.publish()
            self._mailbox.answer(name, done, message)

    def _do(self, command: dict[str, Any]) -> str:
        about = _about(command)
        changes = command.get("changes") or {}
        match command.get("command"):
            case "set":
                done = self._steering.nudge(changes, **about)
                # So that a kill does not undo it.
                self._run.save(force=True)
                return done
            case "rollback":
                where = command.get("to"), command.get("step")
                return self._steering.roll_back(*where, changes, **about)
            case "pause" | "resume" | "stop" as name:
                return getattr(self._steering, name)(**about)
        raise InputError(
            f"{command.get('command')!r} is not a command of Panda"
        )


def _about(command: dict[str, Any] | InputError) -> dict[str, str]:
    """Returns who sent a command and why, as a journal may have it."""
    said = {} if isinstance(command, InputError) else command
    return {
        "who": printable(said.get("who") or "somebody")[:_MOST_CHARACTERS],
        "why": printable(said.get("why") or "")[:_MOST_CHARACTERS],
    }
