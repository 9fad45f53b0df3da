"""Asking for batches, some of them before those before have ended."""

from collections.abc import Callable, Sequence

import keras_tuner

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import (
    Trial,
    TrialStatus,
    set_retry_queue,
)
from tfcourse.tuning.caviar.executors.batches import ALL
from tfcourse.tuning.caviar.steps.candidates import Candidate, SerialTrial
from tfcourse.tuning.caviar.steps.trial_requests import (
    TrialRequests,
    may_register,
)
from tfcourse.tuning.oracles.coarse_to_fine import CoarseToFineOracle
from tfcourse.tuning.oracles.optuna import OptunaOracle
from tfcourse.tuning.oracles.random_search import RandomSearchOracle

# Whose next trial does not depend on how those before it fare, but for rounds,
# of which each waits for all before it.
_LEARN_NOTHING = (
    RandomSearchOracle,
    CoarseToFineOracle,
    keras_tuner.oracles.RandomSearchOracle,
    keras_tuner.oracles.GridSearchOracle,
)
# What ends at a score or a time must not have asked for everything by then.
_AHEAD_OF_END = 4


def usual_ahead(oracle: keras_tuner.Oracle) -> int | None:
    """Returns how many batches to ask for beyond the last one told.

    It must not depend on how many workers there are, as trials would. An oracle
    that learns is asked for a batch once it knows how the last one fared.

    Returns:
        The number, or None for as many as the oracle gives.
    """
    learns = not isinstance(oracle, _LEARN_NOTHING)
    if learns and not (
        isinstance(oracle, OptunaOracle) and oracle.sampler == "qmc"
    ):
        return 1
    ends = (getattr(oracle, name, None) for name in ("time_limit", "target"))
    return _AHEAD_OF_END if any(end is not None for end in ends) else ALL


class Asking:
    """Asks an oracle for batches.

    Args:
        requests: What asks for the trials of one.
        begin: What begins a trial, and builds its model.
        oracle: The oracle.
    """

    def __init__(
        self,
        requests: TrialRequests,
        begin: Callable[[Trial], Candidate | SerialTrial],
        oracle: keras_tuner.Oracle,
    ) -> None:
        self._requests = requests
        self._begin = begin
        self._oracle = oracle
        # A batch whose trials may show further hyperparameters as they run.
        self.waits = False

    def batch(self, number: int, wait: bool) -> list[list[str]]:
        """Asks for the batch of a number.

        Args:
            number: The number.
            wait: Whether to ask until there is one, or the search is over: if
                no trial is running, none can bring the oracle further.

        Returns:
            The ids of those that may be trained together, and of each that
            trains alone; nothing if the oracle has none at present.
        """
        if wait:
            begun = self._requests.batch(self._begin)
        else:
            begun, _ = self._requests.some(self._begin, f"batch{number}")
        self.waits = bool(begun) and may_register(begun[-1])
        return _jobs(begun)

    def again(self, number: int, jobs: Sequence[Sequence[str]]) -> None:
        """Begins the trials of a batch again that have not ended."""
        ended = set(self._oracle.end_order)
        left = [i for ids in jobs for i in ids if i not in ended]
        for place, trial_id in enumerate(left):
            trial = self._oracle.trials[trial_id]
            trial.status = TrialStatus.RUNNING
            self._oracle.ongoing_trials[f"batch{number}-{place}"] = trial
            begun = self._requests.begin(trial, self._begin)
            self.waits = self.waits or may_register(begun)

    def take_from_queue(self, jobs: Sequence[Sequence[Sequence[str]]]) -> None:
        """Lets the oracle not hand out what batches have already."""
        known = {i for some in jobs for ids in some for i in ids}
        ended = set(self._oracle.end_order)
        left = [i for i in self._oracle.start_order if i not in ended]
        set_retry_queue(self._oracle, [i for i in left if i not in known][::-1])


def _jobs(begun: Sequence[Candidate | SerialTrial]) -> list[list[str]]:
    for one in begun:
        if isinstance(one, SerialTrial) and one.changes_shared:
            raise InputError(
                f"Trial {one.trial.trial_id} trains something made before its "
                "build, which other trials train too, so several workers "
                f"cannot train them: {one.why}. Create it inside the build, "
                "or search without `executor` and `ahead`."
            )
    together = [c.trial.trial_id for c in begun if isinstance(c, Candidate)]
    alone = [[c.trial.trial_id] for c in begun if isinstance(c, SerialTrial)]
    return [together, *alone] if together else alone
