"""keras-tuner oracles whose state on disk survives `kill -9`."""

import contextlib
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import keras_tuner

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import (
    OracleHooks,
    Trial,
    TrialStatus,
    has_chief,
    oracle_path,
    set_retry_queue,
    trial_folder,
    writes_its_own_files,
)
from tfcourse.tuning.results.trials import trial_order
from tfcourse.utils.atomic_files import (
    AtomicBatch,
    read_json,
    set_aside,
    write_json,
)
from tfcourse.utils.shapes import ANY, DAMAGED

# What is being written to several files.
COMMIT = ".commit.json"
_COMMITTED = re.compile(r"oracle\.json|trial_[\w-]+/trial\.json")
_ENDED = (TrialStatus.COMPLETED, TrialStatus.FAILED)


class CrashSafeOracle(OracleHooks):
    """An oracle to derive from: all its files are whole, and agree.

    keras-tuner writes its files in place, so that a kill leaves half a file
    which it cannot read any more; and it writes a trial and the list of trials
    one after the other, so that a kill between the two leaves a trial that is
    never run, or is run twice.
    """

    # What waits to be written, the trials by id, while `written_together`.
    _waiting: dict[str, Trial] | None = None
    _list_waits = False

    @contextlib.contextmanager
    def written_together(self) -> Iterator[None]:
        """While it lasts nothing is written; then trials and list, or none."""
        if self._waiting is not None:
            yield
            return
        self._waiting = {}
        listed, self._list_waits = self._list_waits, False
        try:
            yield
        finally:
            trials, self._waiting = self._waiting, None
            wanted, self._list_waits = self._list_waits, listed
            if trials or wanted:
                self._commit(trials.values())

    @contextlib.contextmanager
    def list_written_later(self) -> Iterator[None]:
        """While it lasts, the list of trials is not written by itself: `save`
        it then.
        """
        self._list_waits = True
        try:
            yield
        finally:
            self._list_waits = False

    def create_trial(self, tuner_id: str) -> Trial:
        with self._one_step():
            return super().create_trial(tuner_id)

    def end_trial(self, trial: Trial) -> None:
        with self._one_step():
            super().end_trial(trial)

    def _one_step(self) -> contextlib.AbstractContextManager[None]:
        if has_chief():
            # Its workers call at the same time.
            return contextlib.nullcontext()
        return self.written_together()

    def save(self) -> None:
        if self._waiting is not None:
            self._list_waits = True
        elif not self._list_waits:
            write_json(oracle_path(self), self.get_state())

    def write_trial(self, trial: Trial) -> None:
        if self._waiting is not None:
            self._waiting[trial.trial_id] = trial
        else:
            write_json(self._path_of(trial), trial.get_state())

    def _commit(self, trials: Iterable[Trial]) -> None:
        """Writes trials and the list of them, all of them or none.

        What is to be written is written down first, from where `reload` does
        it if a kill comes in between.
        """
        project = oracle_path(self).parent
        states = {self._path_of(trial): trial.get_state() for trial in trials}
        states[oracle_path(self)] = self.get_state()
        if len(states) > 1:
            write_json(
                project / COMMIT,
                {
                    path.relative_to(project).as_posix(): state
                    for path, state in states.items()
                },
            )
        with AtomicBatch() as files:
            for path, state in states.items():
                files.write_json(path, state)
        (project / COMMIT).unlink(missing_ok=True)

    def _finish_commit(self) -> None:
        """Does what a kill, or a disk that was full, has left undone."""
        project = oracle_path(self).parent
        try:
            states = read_json(project / COMMIT, {str: {str: ANY}})
        except FileNotFoundError:
            return
        except ValueError:
            set_aside(project / COMMIT)
            return
        with AtomicBatch() as files:
            for name, state in states.items():
                path = project / name
                if _COMMITTED.fullmatch(name) and not _has(path, state):
                    files.write_json(path, state)
        (project / COMMIT).unlink()

    def _path_of(self, trial: Trial) -> pathlib.Path:
        return trial_folder(self, trial.trial_id) / "trial.json"

    def set_state(self, state: dict[str, Any]) -> None:
        # A disk that was full may have had no place for a trial's own file:
        # that trial has not begun.
        missing = {*state["start_order"]} - self.trials.keys()
        kept = {
            name: [i for i in state[name] if i not in missing]
            for name in ("start_order", "end_order", "retry_queue")
        }
        kept["ongoing_trials"] = {
            name: i
            for name, i in state["ongoing_trials"].items()
            if i not in missing
        }
        # Its values may be drawn again.
        tried = dict(state["id_to_hash"])
        untried = {tried.pop(i, None) for i in missing}
        kept["tried_so_far"] = [*{*state["tried_so_far"]} - untried]
        kept["id_to_hash"] = tried
        super().set_state(state | kept)

    def reload(self) -> None:
        path = oracle_path(self)
        self._finish_commit()
        try:
            super().reload()
        except (FileNotFoundError, *DAMAGED) as error:
            raise InputError(
                f"{path} is damaged, or does not belong to a search. Restore "
                "it, or start anew: with `overwrite=True` or another "
                "`project_name`, or on the command line with another --out."
            ) from error
        self._restore_lost()
        # A trial's own file is written first, so it knows best.
        started = sorted(self.trials, key=trial_order)
        ended = [i for i in started if self.trials[i].status in _ENDED]
        self.start_order = _extended(self.start_order, started)
        known = [i for i in self.end_order if i in ended]
        self.end_order = _extended(known, ended)
        # Reversed, because keras-tuner takes the next from the end.
        unfinished = [i for i in started if i not in ended][::-1]
        set_retry_queue(self, unfinished)
        for trial in (self.trials[i] for i in unfinished):
            # What it had reported would be taken for the second run's.
            trial.metrics = type(trial.metrics)()

    def _restore_lost(self) -> None:
        """Draws trials again whose files are damaged or gone.

        Their numbers would be given to others, whose files would then be
        written over those of a third.
        """
        width = max(map(len, self.trials), default=1)
        last = max((int(i) for i in self.trials if i.isdecimal()), default=-1)
        for number in range(last):
            trial_id = f"{number:0{width}d}"
            if trial_id not in self.trials:
                self.trials[trial_id] = self.draw_again(trial_id)
                self.write_trial(self.trials[trial_id])


def _has(path: pathlib.Path, state: dict[str, Any]) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return read_json(path) == state
    return False


def make_crash_safe(oracle: keras_tuner.Oracle) -> None:
    """Lets an oracle of any class write files that survive a crash.

    Its class becomes one derived from its own. An oracle that writes files in
    its own way is left alone.
    """
    if not writes_its_own_files(oracle):
        own = type(oracle)
        oracle.__class__ = type(own.__name__, (CrashSafeOracle, own), {})


def trials_written_together(
    oracle: keras_tuner.Oracle,
) -> contextlib.AbstractContextManager:
    """Returns a block in which trials are not written; then all are, at once.

    An oracle that writes files in its own way does not wait.
    """
    if isinstance(oracle, CrashSafeOracle):
        return oracle.written_together()
    return contextlib.nullcontext()


def list_written_later(
    oracle: keras_tuner.Oracle,
) -> contextlib.AbstractContextManager:
    """Returns a block in which the list of trials is not written.

    Then the oracle is to be saved; some do not wait, as above.
    """
    if isinstance(oracle, CrashSafeOracle):
        return oracle.list_written_later()
    return contextlib.nullcontext()


def _extended(order: list[str], ids: list[str]) -> list[str]:
    return order + [i for i in ids if i not in order]
