"""Coarse-to-fine search, and the record of its rounds.

The oracle's file in the project folder, `oracle.json`, holds under `"rounds"` a
list with one dict for each round that has begun:

    {"trials": ["00", "01", ...],           ids of its trials, in order
     "regions": [                           one for each hyperparameter
       {"name": "learning_rate", "axis": "log", "when": {},
        "low": 0.003, "high": 0.08, ...},
       {"name": "beta", "axis": "one_minus_log",
        "when": {"optimizer": ["momentum"]}, "low": 0.95, "high": 0.995, ...},
       {"name": "optimizer", "axis": "category", "when": {},
        "values": ["adam", "momentum"], ...}], ...}

Names and bounds are those that a person reads (beta, not 1 - beta), the axis is
a `HyperparameterAxis`, and `when` names the parents of a conditional
hyperparameter with the values for which it is there. The region of the first
round is the whole space. A few draws of later rounds lie outside their region
on purpose. `read_rounds` gives the list; it is empty for other oracles.
"""

import itertools
import math
import os
import pathlib
from collections.abc import Callable
from typing import Any

import keras_tuner
import numpy as np

from tfcourse.tuning.oracles.base import SearchOracle
from tfcourse.tuning.oracles.rounds import Round
from tfcourse.tuning.results.trials import trial_order
from tfcourse.tuning.search_space import regions
from tfcourse.tuning.search_space.regions import Region
from tfcourse.utils.atomic_files import read_json
from tfcourse.utils.validation import check_integer

# Of `max_trials`, in the first round.
_FIRST_SHARE = 0.4
# Fewer best trials span too small a box to find the best in.
_FEWEST_BEST = 4
# Attempts within the region before those in the whole space.
_ATTEMPTS_WITHIN = 100
# Sets the strata of a round apart from the draws of a trial.
_STRATA = 2**31
# No hyperparameter has so large a key.
_EXPLORES = 2**32
_INTERVALS = {
    "shrink": "(0, 1]",
    "best": "(0, 1]",
    "margin": "[0, inf)",
    "explore": "[0, 1)",
    "least_width": "[0, 1]",
}


class CoarseToFineOracle(SearchOracle):
    r"""Draws at random, then again where the best trials were, in rounds.

    The first round draws from the whole space. Before each further round
    $r = 1, 2, \dots$ the trials so far are ranked, and for each hyperparameter
    the smallest interval $[a, b]$ that holds it in the best of them is taken,
    on its own scale: the logarithm for `log_uniform`, that of $1 - \beta$ for
    `one_minus_log_uniform`, each scale reaching from 0 to 1. The round draws
    from

    $$[a - \mu (b - a),\; b + \mu (b - a)] \cap [0, 1],$$

    cut to a width of at most $\sigma^r$ about the best trial, and widened to
    the least width. Categories stay if they are among the best; of ordered
    ones, those in between stay, too. For a conditional hyperparameter, only
    trials that have it are ranked. A hyperparameter that does not matter so
    keeps more of its range. As all trials so far are ranked, a region can move
    back to where an earlier round was.

    Within a round the draws are stratified (a Latin hypercube): the round's n
    draws of a hyperparameter fall one into each n-th of its region, in random
    order. With one round they are independent, which is random search.

    Draws depend on the seed and on the results of earlier rounds only: not on
    the order in which trials end, nor on whether the search was interrupted. A
    round begins when all trials before it have ended; until then the oracle
    answers `IDLE`. Asking for more trials than at first adds another round.

    Args:
        objective: Name of the metric, or a `keras_tuner.Objective`.
        max_trials: How many trials to draw, at most.
        seed: An integer of 0 or more.
        rounds: How many rounds, 1 or more.
        trials_per_round: How many trials each round has; the last one also gets
            the remainder. By default the first has 0.4 of `max_trials` and the
            others share the rest.
        shrink: $\sigma$, share of the range to which each round narrows a
            region at least, in (0, 1].
        best: Share of the trials that count as the best, in (0, 1], but four
            trials at least.
        margin: $\mu \ge 0$, what is added on either side, in widths.
        explore: Share of a later round's trials that are drawn from the whole
            space, in [0, 1).
        least_width: Width below which no region shrinks, in [0, 1], as a share
            of the range.
        **kwargs: Passed to `SearchOracle`: `initial_points`, `time_limit`,
            `target`, and what `keras_tuner.Oracle` takes.

    Raises:
        ValueError: If an argument is out of range, or `rounds` times
            `trials_per_round` exceeds `max_trials`.

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Tuning process. McKay,
        Beckman and Conover (1979), https://doi.org/10.2307/1268522, for the
        stratified draws.
    """

    def __init__(
        self,
        objective: str | keras_tuner.Objective | None = None,
        max_trials: int = 10,
        seed: int = 0,
        *,
        rounds: int = 4,
        trials_per_round: int | None = None,
        shrink: float = 0.6,
        best: float = 0.1,
        margin: float = 0.1,
        explore: float = 0.05,
        least_width: float = 0.02,
        **kwargs,
    ) -> None:
        super().__init__(objective, max_trials, seed, **kwargs)
        self._check_rounds(rounds, trials_per_round)
        for name, value, inside in [
            ("shrink", shrink, 0 < shrink <= 1),
            ("best", best, 0 < best <= 1),
            ("margin", margin, 0 <= margin < math.inf),
            ("explore", explore, 0 <= explore < 1),
            ("least_width", least_width, 0 <= least_width <= 1),
        ]:
            if not inside:
                raise ValueError(
                    f"`{name}` of CoarseToFineOracle must lie in "
                    f"{_INTERVALS[name]}. Received: {name}={value}"
                )
        self.rounds = min(rounds, max_trials)
        self.trials_per_round = trials_per_round
        self.shrink = shrink
        self.best = best
        self.margin = margin
        self.explore = explore
        self.least_width = least_width
        self._begun: list[Round] = []

    def _check_rounds(self, rounds: int, trials_per_round: int | None) -> None:
        owner = type(self).__name__
        check_integer(rounds, "rounds", owner)
        if trials_per_round is None:
            return
        check_integer(trials_per_round, "trials_per_round", owner)
        if rounds * trials_per_round > self.max_trials:
            raise ValueError(
                f"{rounds} rounds of {trials_per_round} trials are more "
                "than `max_trials` of CoarseToFineOracle. Received: "
                f"max_trials={self.max_trials}"
            )

    def propose(self, number: int, attempt: int) -> dict[str, Any] | None:
        r = self._round_of(number)
        if r is None:
            return None
        if self.rounds == 1:
            return self.drawn(self.uniform(number, attempt))
        this = self._begun[r]
        strata = self._strata(this, r, number)
        explores = strata(_EXPLORES) < self.explore
        region_of = this.region_of
        if explores or attempt >= _ATTEMPTS_WITHIN:
            region_of = Region.whole
        if attempt:
            return self.drawn(self.uniform(number, attempt), region_of)
        return self.drawn(lambda p: strata(regions.key(p)), region_of)

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "rounds": self._described_rounds()}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._begun = [
            Round.from_description(description)
            for description in state.get("rounds", ())
        ]

    def _described_rounds(self) -> list[dict[str, Any]]:
        ids = sorted(self.trials, key=trial_order)
        return [
            {
                "first": this.first,
                "size": this.size,
                "trials": [i for i in ids if int(i) in this],
                "regions": this.described,
            }
            for this in self._begun
        ]

    def _round_of(self, number: int) -> int | None:
        """Returns the index of a trial's round, which begins if it must.

        `None` if it must wait for trials before the round.
        """
        for r in itertools.count():
            if r == len(self._begun):
                first = self._begun[-1].end if self._begun else 0
                if not self._have_ended(first):
                    return None
                self._begun.append(self._new_round(r, first))
            if number in self._begun[r]:
                return r

    def _have_ended(self, first: float) -> bool:
        """Returns whether all trials with numbers below have ended."""
        before = {i for i in self.trials if int(i) < first}
        return before <= set(self.end_order)

    def _new_round(self, r: int, first: int) -> Round:
        ranked = [t for t in self.ranked() if int(t.trial_id) < first]
        ranked = [trial.hyperparameters.values for trial in ranked]
        described = [
            self._region(parameter, r, ranked).describe(parameter)
            for parameter in self.hyperparameters.space
        ]
        return Round(first, self._size(r, first), described)

    def _size(self, r: int, first: int) -> int | None:
        left = self.max_trials - first
        if self.rounds == 1:
            return None
        if r >= self.rounds - 1:
            return left
        if self.trials_per_round:
            return min(self.trials_per_round, left)
        if r == 0:
            return max(1, round(_FIRST_SHARE * left))
        return math.ceil(left / (self.rounds - r))

    def _region(
        self, parameter: Any, r: int, ranked: list[dict[str, Any]]
    ) -> Region:
        """Returns the region of a hyperparameter in round `r`.

        Args:
            parameter: The keras-tuner hyperparameter.
            r: Index of the round.
            ranked: Values of the trials so far, the best first.
        """
        has = [v for v in ranked if regions.is_active(parameter, v)]
        if r == 0 or not has:
            return Region.whole(parameter)
        count = max(_FEWEST_BEST, math.ceil(self.best * len(has)))
        return Region.around(
            parameter,
            [values[parameter.name] for values in has[:count]],
            margin=self.margin,
            widest=self.shrink**r,
            least=self.least_width,
        )

    def _strata(
        self, this: Round, r: int, number: int
    ) -> Callable[[int], float]:
        """Returns a function from a key to a number in [0, 1).

        Those of the trials of a round lie each in a part of its own.
        """

        def draw(key: int) -> float:
            rng = np.random.default_rng([self.seed, r, _STRATA, key])
            part = rng.permutation(this.size)[number - this.first]
            within = rng.uniform(size=this.size)[number - this.first]
            return (part + within) / this.size

        return draw


def read_rounds(project: str | os.PathLike) -> list[dict[str, Any]]:
    """Returns the rounds in a keras-tuner project folder, a list of dicts."""
    state = read_json(pathlib.Path(project) / "oracle.json")
    return state.get("rounds", [])
