"""What every search of tfcourse has: seeds, first points, an end."""

import abc
import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import (
    Trial,
    TrialStatus,
    mark_tried,
    was_tried,
)
from tfcourse.tuning.oracles.crash_safe import CrashSafeOracle
from tfcourse.tuning.search_space import regions
from tfcourse.tuning.search_space.scales import to_display
from tfcourse.utils.validation import check_integer

# Proposals of a trial that was already tried before the space is looked
# through for one that was not.
_ATTEMPTS = 200
_MOST_POINTS = 100_000


class SearchOracle(CrashSafeOracle, abc.ABC):
    """An oracle whose subclasses only say how a trial is drawn.

    Differs from `keras_tuner.Oracle`: `seed=0` is a seed; no trial is tried
    twice, and the search ends early only once every point has been tried;
    failures in a row do not end it.

    Args:
        objective: Name of the metric, or a `keras_tuner.Objective`.
        max_trials: How many trials to draw. A space with fewer points ends the
            search earlier.
        seed: An integer of 0 or more.
        initial_points: Dicts from hyperparameter to value, to be tried first,
            such as what `best_points` returns. Names are those of the search
            space, `"beta"` for what `one_minus_log_uniform` registers. What a
            dict leaves out is drawn.
        time_limit: In seconds. No trial begins later; those that have begun are
            finished. The clock starts anew when a search is resumed.
        target: Once a trial reaches this score, no further trial begins.
        **kwargs: Passed to `keras_tuner.Oracle`.

    Raises:
        ValueError: If an argument is out of range.
        InputError: When the first trial is drawn, if an initial point does not
            lie in the search space.
    """

    def __init__(
        self,
        objective: str | keras_tuner.Objective | None = None,
        max_trials: int = 10,
        seed: int = 0,
        *,
        initial_points: Sequence[Mapping[str, Any]] = (),
        time_limit: float | None = None,
        target: float | None = None,
        **kwargs,
    ) -> None:
        check_integer(max_trials, "max_trials", type(self).__name__)
        check_integer(seed, "seed", type(self).__name__, least=0)
        owner = type(self).__name__
        if time_limit is not None and not time_limit > 0:
            raise ValueError(
                f"`time_limit` of {owner} must be above 0, in seconds. "
                f"Received: time_limit={time_limit!r}"
            )
        if target is not None and not math.isfinite(target):
            raise ValueError(
                f"`target` of {owner} must be a finite score. "
                f"Received: target={target!r}"
            )
        super().__init__(
            objective=objective,
            max_trials=int(max_trials),
            # keras-tuner would draw one by Python's own generator.
            seed=int(seed) or 1,
            **{"max_consecutive_failed_trials": max_trials + 1, **kwargs},
        )
        # Set here because keras-tuner takes 0 for none.
        self.seed = int(seed)
        self.initial_points = [dict(point) for point in initial_points]
        self.time_limit = time_limit
        self.target = target
        self._began = None

    @abc.abstractmethod
    def propose(self, number: int, attempt: int) -> dict[str, Any] | None:
        """Returns the values of a trial, those of active hyperparameters.

        Args:
            number: Of the trial, from 0.
            attempt: How many proposals for it were tried before already.

        Returns:
            A dict, or `None` if results of running trials are needed first.
        """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if self._began is None:
            self._began = time.monotonic()
            self.check_initial_points()
        if self._is_over():
            return _response(TrialStatus.STOPPED)
        number = int(trial_id)
        for values in self._proposals(number):
            if values is None:
                return _response(TrialStatus.IDLE)
            if not was_tried(self, values):
                return _response(TrialStatus.RUNNING, values)
        return _response(TrialStatus.STOPPED)

    def reload(self) -> None:
        super().reload()
        # A crash may have kept the list of what was tried from being written.
        for trial in self.trials.values():
            mark_tried(self, trial)

    def check_initial_points(self) -> None:
        """Raises an `InputError` if one is not in the search space."""
        for number in range(len(self.initial_points)):
            self._initial(number)

    def uniform(self, *entropy: int) -> Callable[[Any], float]:
        """Returns a function from a hyperparameter to a number in [0, 1).

        Each number depends on the seed, the hyperparameter and `entropy` only.
        """

        def draw(parameter: Any) -> float:
            seed = [self.seed, *entropy, regions.key(parameter)]
            return np.random.default_rng(seed).uniform()

        return draw

    def drawn(
        self,
        uniform: Callable[[Any], float],
        region_of: Callable[[Any], regions.Region] = regions.Region.whole,
    ) -> dict[str, Any]:
        """Returns the values of a trial, each drawn in its region."""
        return regions.fill(
            self.hyperparameters.space,
            lambda parameter: region_of(parameter).draw(
                parameter, uniform(parameter)
            ),
        )

    def ranked(self) -> list[Trial]:
        """Returns the completed trials, the best first."""
        sign = -1 if self.objective.direction == "max" else 1
        return sorted(
            (
                trial
                for trial in map(self.trials.get, self.start_order)
                # keras-tuner takes an infinite score for a completed trial.
                if trial.status == TrialStatus.COMPLETED
                and trial.score is not None
                and math.isfinite(trial.score)
            ),
            key=lambda trial: sign * trial.score,
        )

    def _proposals(self, number: int) -> Iterator[dict[str, Any] | None]:
        if number < len(self.initial_points):
            yield self._initial(number)
        for attempt in range(_ATTEMPTS):
            yield self.propose(number, attempt)
        every = regions.points(self.hyperparameters.space)
        untried = [
            values
            for values in itertools.islice(every, _MOST_POINTS)
            if not was_tried(self, values)
        ]
        if untried:
            rng = np.random.default_rng([self.seed, number])
            yield untried[rng.integers(len(untried))]

    def _is_over(self) -> bool:
        limit = math.inf if self.time_limit is None else self.time_limit
        return time.monotonic() - self._began >= limit or self._reached_target()

    def _reached_target(self) -> bool:
        best = self.ranked()[:1]
        if self.target is None or not best:
            return False
        if self.objective.direction == "max":
            return best[0].score >= self.target
        return best[0].score <= self.target

    def _initial(self, number: int) -> dict[str, Any]:
        """Returns the values of an initial point, the missing ones drawn."""
        point = self.initial_points[number]
        used = set()
        # Apart from the draws of the trial of this number.
        uniform = self.uniform(number, _ATTEMPTS)

        def value_of(parameter):
            name, _ = to_display(parameter.name, 0)
            if name not in point:
                return parameter.prob_to_value(uniform(parameter))
            used.add(name)
            # A scale of 1 - x is its own inverse.
            _, value = to_display(parameter.name, point[name])
            try:
                return regions.nearest(parameter, value)
            except (ValueError, TypeError) as error:
                raise InputError(
                    f"{name!r} of an initial point {error}. Received: "
                    f"{name}={point[name]!r}"
                ) from None

        values = regions.fill(self.hyperparameters.space, value_of)
        if unknown := set(point) - used:
            raise InputError(self._why_unused(min(unknown)))
        return values

    def _why_unused(self, name: str) -> str:
        space = {
            to_display(p.name, 0)[0]: p for p in self.hyperparameters.space
        }
        if name not in space:
            return (
                f"An initial point sets {name!r}, which is not in the search "
                f"space. It has: {', '.join(space)}."
            )
        needs = " and ".join(
            f"{parent} is {' or '.join(map(str, values))}"
            for parent, values in regions.conditions(space[name]).items()
        )
        return (
            f"An initial point sets {name!r}, which exists only where "
            f"{needs}. Set that too, or leave out {name!r}."
        )


def _response(
    status: str, values: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"status": status, "values": values}
