"""How far a figure of some examples may lie from that of all."""

from collections.abc import Callable

import numpy as np

# The 0.975 quantile of the normal distribution.
_Z = 1.959963984540054
# Samples times examples: what numbers take a second.
_MOST_DRAWS = 20_000_000


def binomial_interval(right: int, m: int) -> tuple[float, float]:
    r"""Returns the 95 % interval of a share, by Wilson's score.

    $$\frac{\hat p + \frac{z^2}{2m} \pm z \sqrt{\frac{\hat p (1 - \hat p)}{m}
    + \frac{z^2}{4 m^2}}}{1 + \frac{z^2}{m}}, \qquad z = 1.96$$

    It stays within 0 and 1, and has a width where all are right.

    Args:
        right: How many, of which $\hat p$ is the share.
        m: Of how many, 1 or more.

    Reference:
        Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953.
    """
    share, square = right / m, _Z**2 / m
    middle = share + square / 2
    half = _Z * np.sqrt(share * (1 - share) / m + square / (4 * m))
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    return max(float(low), 0.0), min(float(high), 1.0)


def bootstrap_interval(
    statistic: Callable[..., float], *arrays: np.ndarray, seed: int = 0
) -> tuple[float, float]:
    """Returns the 95 % interval of a statistic, by drawing examples again.

    Between its 0.025 and 0.975 quantiles over a thousand draws with
    replacement (fewer of more than twenty thousand examples).

    Args:
        statistic: A function of the arrays.
        *arrays: Shape `(m, ...)` each; an example is a row of all of them.
        seed: Of the draws.

    Reference:
        Efron (1979), https://doi.org/10.1214/aos/1176344552.
    """
    m = len(arrays[0])
    rng = np.random.default_rng(seed)
    count = int(np.clip(_MOST_DRAWS // m, 100, 1000))
    found = []
    for _ in range(count):
        rows = rng.integers(m, size=m)
        found.append(statistic(*(array[rows] for array in arrays)))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)
