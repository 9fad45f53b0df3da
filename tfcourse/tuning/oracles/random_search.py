"""Random search with seeds that mean what they say."""

from typing import Any

from tfcourse.tuning.oracles.base import SearchOracle


class RandomSearchOracle(SearchOracle):
    """Draws each trial at random, on each hyperparameter's own scale.

    It is `CoarseToFineOracle` with one round. Differs from
    `keras_tuner.oracles.RandomSearchOracle`: that one takes `seed=0` for no
    seed, and with d hyperparameters its seeds s and s + d draw the same trials,
    shifted by one. Here trial i of a seed in a space is always the same, also
    after a crash; a trial that was tried before is drawn anew.

    Args:
        objective: Name of the metric, or a `keras_tuner.Objective`.
        max_trials: How many trials to draw. A space with fewer points ends the
            search earlier.
        seed: An integer of 0 or more.
        **kwargs: Passed to `SearchOracle`: `initial_points`, `time_limit`,
            `target`, and what `keras_tuner.Oracle` takes.

    Raises:
        ValueError: If an argument is out of range.
    """

    def propose(self, number: int, attempt: int) -> dict[str, Any]:
        return self.drawn(self.uniform(number, attempt))
