"""The first step: requesting many trials from an oracle at once."""

import time
from collections.abc import Iterator

from tfcourse.tuning._keras_tuner import Trial, TrialStatus, is_worker
from tfcourse.tuning.oracles.batched import batch_limit, mark_built
from tfcourse.tuning.tuners.serial import SerialTuner

# Between two requests to an oracle that waits for other workers.
_SECONDS_IDLE = 0.5


class TrialRequests:
    """Requests trials under many names, as an oracle gives one to each.

    Args:
        tuner: The tuner that runs them.
        most: How many trials to request at once.
    """

    def __init__(self, tuner: SerialTuner, most: int) -> None:
        self._tuner = tuner
        self._most = most
        self._names_used = 0

    def batch(self) -> Iterator[Trial]:
        """Yields the trials to run next, as many as there are at present.

        The model of each should be built before the next is taken: the
        hyperparameters that it registers then belong to the space that the
        next is drawn from, as in a search that goes one by one.

        Yields:
            Trials that have begun; none if the search is over.
        """
        while True:
            count, status = 0, TrialStatus.IDLE
            for place in range(self._limit()):
                trial = self._request(place)
                status = trial.status
                if status != TrialStatus.RUNNING:
                    break
                yield from self._until_built(trial)
                count += 1
            self._names_used = max(self._names_used, count)
            if count:
                return
            if status == TrialStatus.STOPPED:
                yield from self._last_requests()
                return
            time.sleep(_SECONDS_IDLE)

    def _limit(self) -> int:
        if is_worker(self._tuner):
            # The chief's oracle cannot be looked into.
            return self._most
        return min(self._most, batch_limit(self._tuner.oracle) or self._most)

    def _request(self, place: int) -> Trial:
        self._tuner.pre_create_trial()
        name = self._tuner.tuner_id
        return self._tuner.oracle.create_trial(
            f"{name}-{place}" if place else name
        )

    def _until_built(self, trial: Trial) -> Iterator[Trial]:
        """Yields the trial, then says what its model was seen to need."""
        oracle = self._tuner.oracle
        known = len(trial.hyperparameters.space)
        yield trial
        if len(trial.hyperparameters.space) > known:
            oracle.update_space(trial.hyperparameters)
        mark_built(oracle, trial)

    def _last_requests(self) -> Iterator[Trial]:
        """Requests under every name: a chief waits until each was refused."""
        if not is_worker(self._tuner):
            return
        for place in range(1, self._names_used):
            trial = self._request(place)
            if trial.status == TrialStatus.RUNNING:
                yield from self._until_built(trial)
