"""The first step: requesting many trials from an oracle at once."""

import time
from collections.abc import Callable

from tfcourse.tuning._keras_tuner import Trial, TrialStatus
from tfcourse.tuning.caviar.steps.candidates import Candidate, SerialTrial
from tfcourse.tuning.oracles.batched import batch_limit, mark_built
from tfcourse.tuning.tuners.serial import SerialTuner

# Between two requests to an oracle that waits for something else.
_SECONDS_IDLE = 0.5


class TrialRequests:
    """Requests trials under many names, as an oracle gives one to each.

    Args:
        tuner: The tuner that runs them.
        most: How many trials to request at once.
        broken_off: How many trials a kill broke off, if any. They go by
            themselves: under halving it counts beside whom one is trained.
    """

    def __init__(
        self, tuner: SerialTuner, most: int, broken_off: int = 0
    ) -> None:
        self._tuner = tuner
        self._most = most
        self._broken_off = broken_off

    def batch(
        self, begin: Callable[[Trial], Candidate | SerialTrial]
    ) -> list[Candidate | SerialTrial]:
        """Begins the trials to run next, as many as there are at present.

        The model of each is built before the next is requested: the
        hyperparameters that it registers then belong to the space that the
        next is drawn from, as in a search that goes one by one. After one that
        may register more when it is run, none is requested.

        Args:
            begin: A function that begins a trial, and builds its model.

        Returns:
            What it has returned for each; nothing if the search is over.
        """
        while True:
            begun, status = self.some(begin, self._tuner.tuner_id)
            if begun or status == TrialStatus.STOPPED:
                return begun
            time.sleep(_SECONDS_IDLE)

    def some(
        self, begin: Callable[[Trial], Candidate | SerialTrial], name: str
    ) -> tuple[list[Candidate | SerialTrial], str]:
        """Begins the trials that there are now, if any.

        Args:
            begin: As for `batch`.
            name: A name under which no trial is running.

        Returns:
            What `begin` has returned for each, and the status of the last.
        """
        begun, status = [], TrialStatus.IDLE
        for place in range(self._limit()):
            trial = self._request(place, name)
            status = trial.status
            if status != TrialStatus.RUNNING:
                break
            begun.append(self.begin(trial, begin))
            if may_register(begun[-1]):
                break
        return begun, status

    def _limit(self) -> int:
        broken_off, self._broken_off = self._broken_off, 0
        limit = batch_limit(self._tuner.oracle) or self._most
        return min(self._most, limit, broken_off or self._most)

    def _request(self, place: int, name: str) -> Trial:
        self._tuner.pre_create_trial()
        return self._tuner.oracle.create_trial(
            f"{name}-{place}" if place else name
        )

    def begin(
        self, trial: Trial, begin: Callable[[Trial], Candidate | SerialTrial]
    ) -> Candidate | SerialTrial:
        """Begins a trial, and says what its model was seen to need."""
        oracle = self._tuner.oracle
        known = len(trial.hyperparameters.space)
        begun = begin(trial)
        if len(trial.hyperparameters.space) > known:
            oracle.update_space(trial.hyperparameters)
        if not may_register(begun):
            mark_built(oracle, trial)
        return begun


def may_register(begun: Candidate | SerialTrial) -> bool:
    """Whether a trial may show hyperparameters only when it is run."""
    return isinstance(begun, SerialTrial) and begun.may_register
