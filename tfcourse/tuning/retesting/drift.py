"""Whether the examples have changed, feature by feature."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.stats

# That any is found where none has drifted: one time in twenty.
_ALPHA = 0.05
# What chi-squared needs of a cell.
_LEAST_EXPECTED = 5
_FEW = 50


@dataclasses.dataclass(frozen=True)
class Drift:
    """What a two-sample test says of a feature.

    Attributes:
        feature: Its name.
        test: `"Kolmogorov-Smirnov"` for numbers, `"chi-squared"` for
            categories.
        size: How far the samples are apart, from 0 to 1: the largest difference
            of the distribution functions, or Cramér's V.
        p: The chance of that much without a drift, corrected by Holm for as
            many tests as there are features.
    """

    feature: str
    test: str
    size: float
    p: float

    @property
    def has_drifted(self) -> bool:
        """Whether it has, at a level of 5 % for all features together."""
        return self.p < _ALPHA

    def to_json(self) -> dict[str, Any]:
        """Returns it as a dict that JSON can keep."""
        return {**dataclasses.asdict(self), "has_drifted": self.has_drifted}


def drift(
    before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]
) -> list[Drift]:
    """Compares two samples of examples, feature by feature.

    Numbers are compared by `scipy.stats.ks_2samp`, anything else, and how much
    is missing, by `scipy.stats.chi2_contingency`. Rare categories count as one.

    Args:
        before: Values `(m,)` by the name of the feature; `NaN` and `""` are
            missing.
        after: The same of later examples. Features of one only are left out.

    Returns:
        A list, the clearest drift first.

    Reference:
        Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure,
        https://www.jstor.org/stable/4615733.
    """
    found = [
        (name, *_tested(np.asarray(before[name]), np.asarray(after[name])))
        for name in before
        if name in after
    ]
    ps = holm([p for *_, p in found])
    drifts = [
        Drift(name, test, size, p)
        for (name, test, size, _), p in zip(found, ps, strict=True)
    ]
    return sorted(drifts, key=lambda one: (one.p, -one.size))


def holm(ps: list[float]) -> list[float]:
    """Returns chances corrected by Holm for that many tests.

    Args:
        ps: Those of each test by itself.
    """
    m = len(ps)
    order = np.argsort(ps)
    corrected = np.array(ps, float)[order] * (m - np.arange(m))
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.maximum.accumulate(corrected), 1)
    return adjusted.tolist()


def _tested(before, after):
    """Returns the test of a feature, how large its drift is, and its p."""
    numeric = before.dtype.kind in "fiub" and after.dtype.kind in "fiub"
    if not numeric:
        size, p = _chi_squared(before.astype(str), after.astype(str))
        return "chi-squared", size, p
    there = [values[np.isfinite(values)] for values in (before, after)]
    size, p = 0.0, 1.0
    if all(map(len, there)):
        # With fewer the chance can be counted out.
        how = "asymp" if min(map(len, there)) > _FEW else "exact"
        found = scipy.stats.ks_2samp(*there, method=how)
        size, p = float(found.statistic), float(found.pvalue)
    gaps = [~np.isfinite(values) for values in (before, after)]
    if any(map(np.any, gaps)):
        # Two tests of one feature.
        size_of_gaps, p_of_gaps = _chi_squared(*gaps)
        size, p = max(size, size_of_gaps), min(1.0, 2 * min(p, p_of_gaps))
    return "Kolmogorov-Smirnov", size, p


def _chi_squared(before, after):
    """Returns Cramér's V and the p of categories."""
    names, codes = np.unique(
        np.concatenate([before, after]), return_inverse=True
    )
    sides = codes[: len(before)], codes[len(before) :]
    counts = np.stack([np.bincount(s, minlength=len(names)) for s in sides])
    # The smaller sample has the smallest cells.
    share = min(len(before), len(after)) / (len(before) + len(after))
    rare = counts.sum(axis=0) * share < _LEAST_EXPECTED
    if rare.any():
        others = counts[:, rare].sum(axis=1, keepdims=True)
        counts = np.concatenate([counts[:, ~rare], others], axis=1)
    if counts.shape[1] < 2 or (counts.sum(axis=0) == 0).any():
        return 0.0, 1.0
    found = scipy.stats.chi2_contingency(counts, correction=False)
    return float(np.sqrt(found.statistic / counts.sum())), float(found.pvalue)
