"""Who goes on as a copy of whom: truncation selection."""

import math

import numpy as np


def truncated(
    scores: np.ndarray, quantile: float, rng: np.random.Generator
) -> np.ndarray:
    r"""Returns for each member whose weights it goes on with.

    Of $n$ members, each of the $\lceil q n \rceil$ worst goes on with the
    weights of one of as many best, drawn with equal chances; the others keep
    their own. The two do not overlap. What has diverged is always replaced.

    Args:
        scores: One value a member, the higher the better; `-inf` of those that
            have diverged.
        quantile: The share $q$.
        rng: What draws.

    Returns:
        A number for each member: its own if it keeps its weights.

    Reference:
        Jaderberg et al. (2017), section 4.1.1, https://arxiv.org/abs/1711.09846.
    """
    sources = np.arange(len(scores))
    order = np.argsort(-scores, kind="stable")
    sound = int(np.isfinite(scores).sum())
    if not sound:
        return sources
    count = min(math.ceil(quantile * len(scores)), len(scores) // 2)
    best = order[: min(max(count, 1), sound)]
    worst = order[min(len(scores) - count, sound) :]
    for k in worst:
        sources[k] = rng.choice(best)
    return sources
