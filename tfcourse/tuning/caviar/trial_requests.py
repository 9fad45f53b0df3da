"""TrialRequests an oracle for many trials at once."""

import time

from tfcourse.tuning._keras_tuner import TrialStatus
from tfcourse.tuning.oracles.batched import batch_limit, mark_built

# Between two questions to an oracle that waits for other workers.
_SECONDS_IDLE = 0.5


class TrialRequests:
    """Asks for trials under many names: an oracle gives one to each.

    Args:
        tuner: A `keras_tuner.Tuner`.
        most: How many trials to ask for at once.
        is_worker: Whether a chief gives the trials.
    """

    def __init__(self, tuner, most, is_worker):
        self._tuner = tuner
        self._most = most
        self._is_worker = is_worker
        self._names = 0

    def ask(self, begin):
        """Returns the trials to run next, as many as there are at present.

        Args:
            begin: Called with each trial before the next is asked for. It
                should build the model: the hyperparameters that are first met
                then belong to the space that the next is drawn from, as in a
                search that goes one by one.

        Returns:
            A list of trials, empty if the search is over.
        """
        while True:
            trials, last = self._ask_once(begin)
            self._names = max(self._names, len(trials))
            if trials:
                return trials
            if last.status == TrialStatus.STOPPED:
                return self._take_leave(begin)
            time.sleep(_SECONDS_IDLE)

    def _ask_once(self, begin):
        trials, trial = [], None
        most = self._most
        if not self._is_worker:
            most = min(most, batch_limit(self._tuner.oracle) or most)
        for place in range(most):
            trial = self._trial_of(place)
            if trial.status != TrialStatus.RUNNING:
                break
            self._begin(trial, begin)
            trials.append(trial)
        return trials, trial

    def _trial_of(self, place):
        self._tuner.pre_create_trial()
        name = self._tuner.tuner_id
        return self._tuner.oracle.create_trial(
            f"{name}-{place}" if place else name
        )

    def _begin(self, trial, begin):
        oracle = self._tuner.oracle
        known = len(trial.hyperparameters.space)
        begin(trial)
        if len(trial.hyperparameters.space) > known:
            oracle.update_space(trial.hyperparameters)
        mark_built(oracle, trial)

    def _take_leave(self, begin):
        """Asks under every name: a chief waits until each was refused."""
        trials = []
        if self._is_worker:
            for place in range(1, self._names):
                trial = self._trial_of(place)
                if trial.status == TrialStatus.RUNNING:
                    self._begin(trial, begin)
                    trials.append(trial)
        return trials
