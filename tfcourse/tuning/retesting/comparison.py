"""Comparing points of a search space by scores of the same folds."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.stats

# All intervals hold at once with this confidence.
_CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How much better a point is than the old choice.

    Attributes:
        gain: By how much, in units of the objective; positive is better.
        interval: The interval of the gain. Those of all points that are
            compared hold at once, in 95 of 100 cases.
    """

    gain: float
    interval: tuple[float, float]

    @property
    def is_better(self) -> bool:
        """Whether more than luck speaks for it."""
        return self.interval[0] > 0

    def to_json(self) -> dict[str, Any]:
        """Returns it as a dict that JSON can keep."""
        return {"gain": self.gain, "interval": list(self.interval)}


def compared(
    scores: Sequence[float],
    old: Sequence[float],
    direction: str,
    comparisons: int,
) -> Comparison:
    r"""Compares scores with those of the old choice, fold by fold.

    With $d_i$ the differences of $k$ folds, $\bar d$ their mean and
    $\hat\sigma^2$ their variance, the interval is

    $$\bar d \pm t_{1 - 0.025 / c,\, k - 1} \,
      \hat\sigma \sqrt{\frac{1}{k} + \frac{1}{k - 1}}.$$

    The second term under the root is there because the models of two folds
    share examples; without it chance would be found far too often. $c$ is the
    number of comparisons (Bonferroni).

    Args:
        scores: Those of a point, one for each fold.
        old: Those of the old choice, of the same folds.
        direction: `"max"` or `"min"`, of the objective.
        comparisons: How many points are compared with the old choice.

    Reference:
        Nadeau and Bengio (2003), Inference for the Generalization Error,
        Section 3.3, https://doi.org/10.1023/A:1024068626366.
    """
    sign = 1 if direction == "max" else -1
    gains = sign * (np.asarray(scores, float) - np.asarray(old, float))
    k = len(gains)
    tail = (1 - _CONFIDENCE) / (2 * max(comparisons, 1))
    t = scipy.stats.t.ppf(1 - tail, k - 1)
    half = t * gains.std(ddof=1) * np.sqrt(1 / k + 1 / (k - 1))
    mean = float(gains.mean())
    return Comparison(mean, (float(mean - half), float(mean + half)))
