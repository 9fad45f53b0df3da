"""What a person, the guard or a policy does to a run."""

from collections.abc import Mapping

from tfcourse.errors import InputError
from tfcourse.tuning.panda.control.settable import checked
from tfcourse.tuning.panda.state.model import synchronize
from tfcourse.tuning.panda.training.run import PandaRun


class Steering:
    """The commands of a run; each returns a sentence that says what was done.

    `Panda` has them too, and documents their arguments.

    Args:
        run: The `PandaRun`.

    Raises:
        InputError: By each, if it cannot be done. Nothing has changed then.
    """

    def __init__(self, run: PandaRun) -> None:
        self._run = run

    def nudge(
        self,
        changes: Mapping[str, float],
        who: str = "script",
        why: str = "",
    ) -> str:
        """Sets hyperparameters: all of them, or none."""
        if not changes:
            raise InputError("Nothing to set. Give NAME=VALUE.")
        settings = self._run.settings
        synchronize(self._run.model)
        changes = checked(settings, changes)
        before = {name: settings[name].value for name in changes}
        for name, value in changes.items():
            settings[name].set(value)
        after = {name: settings[name].value for name in changes}
        self._run.recorder.event("nudge", why, who, before=before, after=after)
        return ", ".join(
            f"{name} {before[name]:g} → {after[name]:g}" for name in changes
        )

    def roll_back(
        self,
        epoch: int | None = None,
        step: int | None = None,
        changes: Mapping[str, float] | None = None,
        who: str = "script",
        why: str = "",
    ) -> str:
        """Goes back to a checkpoint."""
        run = self._run
        target = run.checkpoints.find(epoch, step)
        changes = checked(run.settings, changes or {})
        run.return_to(target, who, why)
        done = f"back at {target}"
        if changes:
            done += ", " + self.nudge(changes, who, why)
        run.rescues = 0
        run.save(force=True)
        return done

    def pause(self, who: str = "script", why: str = "") -> str:
        """Holds the run at the end of this batch."""
        self._run.state = "paused"
        self._run.recorder.event("pause", why, who)
        return f"paused at step {self._run.place.step}"

    def resume(self, who: str = "script", why: str = "") -> str:
        """Ends a pause."""
        if self._run.state != "paused":
            raise InputError("the run is not paused")
        self._run.state = "running"
        self._run.recorder.event("resume", why, who)
        return f"continues at step {self._run.place.step}"

    def stop(self, who: str = "script", why: str = "") -> str:
        """Ends the run after a checkpoint."""
        run = self._run
        run.state = "stopped"
        run.model.stop_training = True
        run.recorder.event("stop", why, who)
        run.save(force=True)
        return f"stopped at step {run.place.step}"
