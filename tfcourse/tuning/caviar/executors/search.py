"""A search whose batches are trained by an executor."""

import contextlib
import pathlib
from collections.abc import Callable
from typing import Any

from tfcourse.tuning._keras_tuner import (
    Trial,
    build_config_path,
    checkpoint_path,
)
from tfcourse.tuning.caviar.deferred_calls import DeferredCalls
from tfcourse.tuning.caviar.executors.arrivals import (
    Arrivals,
    Arrived,
    given_up,
)
from tfcourse.tuning.caviar.executors.asking import Asking
from tfcourse.tuning.caviar.executors.batches import Batches
from tfcourse.tuning.caviar.executors.dispatch import Dispatch, Done, Piece
from tfcourse.tuning.caviar.executors.interface import Job, JobResult
from tfcourse.tuning.caviar.failures import refuse_failures_in_a_row
from tfcourse.tuning.caviar.groups_log import GroupRecord, GroupsLog
from tfcourse.tuning.caviar.steps.candidates import goes_on_from
from tfcourse.tuning.caviar.steps.commit import end
from tfcourse.tuning.oracles.crash_safe import trials_written_together
from tfcourse.tuning.tuners.guarded_search import check_folder_is_there
from tfcourse.tuning.tuners.serial import SerialTuner


class ExecutedSearch:
    """Asks for batches, gives them out, and tells the oracle how they fared.

    Whatever comes back first: they are asked for and told in one order, which
    depends on the oracle only. As long as there may be more, it is asked; when
    there is no more, the oldest batch is told, and it is asked again.

    Args:
        tuner: The tuner whose search it is.
        asking: What asks for a batch.
        batches: The record of batches.
        log: The record of how trials were trained.
        saved_once: Returns a block that writes the list of trials at its end.
        after_trials: What the tuner calls after each trial.
    """

    def __init__(
        self,
        tuner: SerialTuner,
        asking: Asking,
        batches: Batches,
        log: GroupsLog,
        saved_once: Callable[[], contextlib.AbstractContextManager],
        after_trials: DeferredCalls,
    ) -> None:
        self._tuner = tuner
        self._asking = asking
        self._batches = batches
        self._log = log
        self._saved_once = saved_once
        self._after_trials = after_trials
        self._arrivals = Arrivals(tuner.project_dir)
        # Of trials whose batch was not told yet.
        self._arrived: dict[str, Arrived] = {}
        # Their numbers, the oldest first.
        self._untold: list[int] = []
        self._no_more = False

    def run(self, dispatch_of: Callable[[Any], Dispatch]) -> None:
        """Runs all trials that are not done yet.

        Args:
            dispatch_of: Makes of a function, from a piece to its job, what
                gives out pieces.
        """
        dispatch = dispatch_of(self._job_of)
        self._begin_again(dispatch)
        while True:
            asked = self._ask(dispatch)
            dispatch.give_out()
            told = not asked and self._tell()
            if not asked and not told and not self._untold:
                return
            self._take(dispatch, wait=not asked and not told)

    # Asking

    def _begin_again(self, dispatch: Dispatch) -> None:
        """Takes up the batches of a search that was broken off."""
        self._asking.take_from_queue(self._batches.jobs)
        ended = set(self._tuner.oracle.end_order)
        for number, jobs in enumerate(self._batches.jobs):
            ids = [i for together in jobs for i in together]
            for i in ids:
                if i in ended:
                    # A kill may have come between.
                    self._arrivals.forget(i)
            if ended.issuperset(ids):
                continue
            self._asking.again(number, jobs)
            self._untold.append(number)
            found = {i: self._arrivals.read(i) for i in ids if i not in ended}
            self._arrived |= {i: told for i, told in found.items() if told}
            dispatch.add(
                [
                    Piece(number, tuple(together), left)
                    for together in jobs
                    if (left := self._left(together, ended))
                ]
            )

    def _left(self, ids: list[str], ended: set[str]) -> tuple[str, ...]:
        return tuple(
            i for i in ids if i not in ended and i not in self._arrived
        )

    def _ask(self, dispatch: Dispatch) -> bool:
        """Asks for a batch; returns whether there was one."""
        ahead = self._batches.ahead
        full = ahead is not None and len(self._untold) >= ahead
        if self._untold and (full or self._asking.waits or self._no_more):
            return False
        number = len(self._batches.jobs)
        with (
            self._saved_once(),
            trials_written_together(self._tuner.oracle),
        ):
            jobs = self._asking.batch(number, wait=not self._untold)
        # It is asked again when it knows more.
        self._no_more = not jobs
        if not jobs:
            return False
        self._batches.add(jobs)
        self._untold.append(number)
        dispatch.add([Piece(number, tuple(ids), tuple(ids)) for ids in jobs])
        return True

    def _job_of(self, piece: Piece) -> Job:
        trials = [self._tuner.oracle.trials[i] for i in piece.together]
        files = {}
        for trial in trials:
            if earlier := goes_on_from(trial.hyperparameters):
                files |= self._weights_of(earlier)
        states = tuple(trial.get_state() for trial in trials)
        return Job(piece.batch, states, piece.only, files)

    def _weights_of(self, trial_id: str) -> dict[str, bytes]:
        project = pathlib.Path(self._tuner.project_dir)
        paths = [
            path(self._tuner, trial_id)
            for path in (checkpoint_path, build_config_path)
        ]
        return {
            str(path.relative_to(project)): path.read_bytes()
            for path in paths
            if path.exists()
        }

    # Telling

    def _take(self, dispatch: Dispatch, wait: bool) -> None:
        """Writes what has come back."""
        for done in dispatch.done(wait):
            check_folder_is_there(self._tuner)
            self._arrived |= self._written(done)

    def _written(self, done: Done) -> dict[str, Arrived]:
        piece = done.piece
        if isinstance(done.outcome, JobResult):
            return self._arrivals.write(done.outcome, done.node, piece.attempts)
        told = given_up(done.outcome, piece.attempts)
        return dict.fromkeys(piece.only, told)

    def _tell(self) -> bool:
        """Tells of the oldest batch if all of it is here; whether it was."""
        if not self._untold:
            return False
        ended = set(self._tuner.oracle.end_order)
        jobs = self._batches.jobs[self._untold[0]]
        ids = [i for together in jobs for i in together if i not in ended]
        if not self._arrived.keys() >= set(ids):
            return False
        self._untold.pop(0)
        self._no_more = False
        told = {i: self._arrived.pop(i) for i in sorted_as_asked(ids)}
        trials = [self._tuner.oracle.trials[i] for i in told]
        with (
            self._saved_once(),
            self._after_trials.deferred(),
            trials_written_together(self._tuner.oracle),
        ):
            for trial in trials:
                self._end(trial, told[trial.trial_id])
        for trial_id, arrived in told.items():
            for group in arrived.groups:
                self._log.add(GroupRecord(**group))
            self._arrivals.forget(trial_id)
        refuse_failures_in_a_row(self._tuner.oracle, trials)
        return True

    def _end(self, trial: Trial, arrived: Arrived) -> None:
        arrived.tell(self._tuner.oracle, trial)
        end(trial, self._tuner)


def sorted_as_asked(ids: list[str]) -> list[str]:
    """Returns ids in the order in which an oracle gave them."""
    return sorted(ids, key=lambda i: (len(i), i))
