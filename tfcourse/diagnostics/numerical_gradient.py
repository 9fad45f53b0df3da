"""Gradient checking of any function of arrays, by two-sided differences."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tfcourse.diagnostics.flat_vector import FlatVector
from tfcourse.utils.notebook import Shown
from tfcourse.utils.validation import check_integer, check_number


def gradient_ratio(a: Any, b: Any) -> float:
    r"""Returns the course's distance between two gradients.

    $$\frac{\lVert a - b \rVert_2}{\lVert a \rVert_2 + \lVert b \rVert_2}$$

    It has no unit and lies in [0, 1]; for two zero gradients it is 0.
    """
    a, b = np.ravel(a), np.ravel(b)
    total = np.linalg.norm(a) + np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / total) if total else 0.0


@dataclasses.dataclass(frozen=True)
class CheckedParameter:
    """One parameter, with its gradient and its two-sided difference."""

    name: str
    index: tuple
    gradient: float
    difference: float

    @property
    def error(self) -> float:
        """How far the gradient lies from the two-sided difference."""
        return abs(self.gradient - self.difference)

    def __str__(self):
        index = ", ".join(map(str, self.index))
        return (
            f"{self.name}[{index}]: gradient {self.gradient:.6g}, "
            f"two-sided difference {self.difference:.6g}"
        )


@dataclasses.dataclass(frozen=True, repr=False)
class GradientCheck(Shown):
    """What a gradient check found.

    Attributes:
        ratio: The distance between gradient and differences, from 0 to 1.
        ratios: The same for each variable by itself, as a dict from name to
            number; the variable that adds most to the distance comes first.
        worst: The `CheckedParameter`s that are farthest off, worst first.
        checked: How many parameters were compared.
        parameters: How many there are.
        epsilon: Half the width of the differences, in units of the parameters.
        kinks: How many parameters have a kink of the loss within `epsilon`,
            such as that of a relu whose input is 0: there every slope between
            those of the two sides counts as correct.
        rounding: The ratio that rounding alone would give.
        in_float64: Whether the loss is computed in float64; if not, `epsilon`
            is wider than requested.
    """

    ratio: float
    ratios: dict
    worst: tuple
    checked: int
    parameters: int
    epsilon: float
    kinks: int
    rounding: float
    in_float64: bool = True

    @property
    def verdict(self) -> str:
        """`"good"`, `"look"` or `"wrong"`, for a ratio near 1e-7, 1e-5, 1e-3.

        "Near" is on a logarithmic scale, so the bounds are 1e-6 and 1e-4. A
        ratio that rounding explains is never called wrong.
        """
        if self.ratio < 1e-6:
            return "good"
        explained = self.ratio < self._explained
        return "look" if self.ratio < 1e-4 or explained else "wrong"

    @property
    def _explained(self) -> float:
        """The ratio up to which a right gradient may come."""
        # Within a wider step may be the kink of a relu, unseen for rounding.
        kinks = 0 if self.in_float64 else 3 * self.epsilon
        return max(10 * self.rounding, kinks)

    def __str__(self):
        meaning = {
            "good": "the gradient is that of the loss",
            "look": "look at the parameters below",
            "wrong": "the gradient is not that of the loss",
        }
        lines = [
            f"{self.verdict}: ratio {self.ratio:.2e} (good near 1e-7, look "
            f"near 1e-5, wrong near 1e-3); {meaning[self.verdict]}.",
            f"Checked {self.checked} of {self.parameters} parameters, "
            f"epsilon {self.epsilon:g}.",
        ]
        if not self.in_float64:
            lines.append(
                "The loss is not computed in float64, as part of it casts to "
                "a lower precision. The step is therefore wider, and the "
                "ratio of a correct gradient may be up to about "
                f"{self._explained:.0e}."
            )
        if self.kinks:
            lines.append(
                f"{self.kinks} at a kink of the loss, where any slope between "
                "those of the two sides is correct."
            )
        if self.verdict != "good":
            if self.ratio < 10 * self.rounding:
                lines.append(
                    f"Rounding alone gives about {self.rounding:.0e} here, "
                    "because the gradient is so small: check again with a "
                    "larger epsilon."
                )
            lines += ["Ratio by variable:"]
            lines += [f"  {r:.2e} {name}" for name, r in self.ratios.items()]
            lines += ["Farthest off:", *(f"  {each}" for each in self.worst)]
        return "\n".join(lines)


def check_settings(
    owner: str, epsilon: float, sample: int | None, seed: int
) -> None:
    """Raises unless the settings of a gradient check are usable."""
    check_number(epsilon, "epsilon", owner, "(0, inf)")
    if sample is not None:
        check_integer(sample, "sample", owner)
    check_integer(seed, "seed", owner, least=0)


def compare(
    layout: FlatVector,
    indices: np.ndarray,
    gradient: Any,
    losses_at: Callable,
    epsilon: float,
    worst: int = 10,
    error: float = 0.0,
) -> GradientCheck:
    """Compares a flat gradient with the two-sided differences at `indices`.

    Args:
        layout: The `FlatVector` of the flat vectors.
        indices: Which parameters to compare.
        gradient: The gradient by each of them.
        losses_at: Function of indices and a step that gives, for each index,
            the loss with that parameter moved by `+step` and by `-step`.
        epsilon: The step.
        worst: How many parameters to name.
        error: By how much rounding moves the loss, if by more than float64
            does.

    Returns:
        A `GradientCheck`.
    """
    loss = float(losses_at(indices[:1], 0.0)[0, 0])
    error = max(error, float(np.finfo("float64").eps) * max(abs(loss), 1e-300))
    pairs = losses_at(indices, epsilon)
    if not (np.isfinite(loss) and np.isfinite(pairs).all()):
        raise ValueError(
            "The loss must be finite at and around the parameters to check "
            f"its gradient. Received: loss={loss}"
        )
    differences = (pairs[:, 0] - pairs[:, 1]) / (2 * epsilon)
    kinks, low, high = _kinks(indices, loss, pairs, losses_at, epsilon, error)
    differences[kinks] = np.clip(gradient[kinks], low, high)

    norms = np.linalg.norm(gradient) + np.linalg.norm(differences)
    noise = error / epsilon * math.sqrt(len(indices))
    farthest = np.argsort(-np.abs(gradient - differences), kind="stable")
    return GradientCheck(
        ratio=gradient_ratio(gradient, differences),
        ratios=_ratios(layout.owner(indices), layout, gradient, differences),
        worst=tuple(
            CheckedParameter(
                *layout.locate(indices[i]),
                gradient=float(gradient[i]),
                difference=float(differences[i]),
            )
            for i in farthest[:worst]
        ),
        checked=len(indices),
        parameters=layout.size,
        epsilon=float(epsilon),
        kinks=len(kinks),
        rounding=float(noise / norms) if norms else 0.0,
    )


def _ratios(owners, layout, gradient, differences):
    """Returns the ratio of each array by its name, the worst array first."""
    errors = np.abs(gradient - differences)
    places = sorted(
        np.unique(owners), key=lambda p: -np.linalg.norm(errors[owners == p])
    )
    return {
        layout.names[place]: gradient_ratio(
            gradient[owners == place], differences[owners == place]
        )
        for place in places
    }


def _kinks(indices, loss, pairs, losses_at, epsilon, error):
    """Returns where the loss has a kink within a step, and the slopes there.

    There the slopes of the two sides differ. Where the loss is merely curved
    they do so too, but by a quarter as much at a quarter of the step, and their
    mean stays. Otherwise the step is cut down until the kink lies outside; if
    it never does, it is at the parameter itself, and every slope between those
    of its sides is a subgradient.

    Returns:
        Places in `indices`, and the least and the greatest slope of each.
    """

    def slopes_at(pairs, step):
        slopes = np.stack([pairs[:, 0] - loss, loss - pairs[:, 1]]) / step
        low, high = slopes.min(axis=0), slopes.max(axis=0)
        noise = 1000 * error / step
        size = np.abs(slopes).max(axis=0)
        return low, high, high - low > np.maximum(1e-5 * size, noise)

    low, high, broken = slopes_at(pairs, epsilon)
    kinks = active = np.flatnonzero(broken)
    for step in epsilon / 4.0 ** np.arange(1, 6):
        if len(active) == 0:
            break
        wide = low[active], high[active]
        *narrow, broken = slopes_at(losses_at(indices[active], step), step)
        if active is kinks:
            kinks = active[~_is_curve(wide, narrow)]
        # A gap that stays is the parameter's own kink, and the wider step has
        # the less rounding.
        closes = narrow[1] - narrow[0] < 0.9 * (wide[1] - wide[0])
        moves = closes & np.isin(active, kinks)
        low[active[moves]] = narrow[0][moves]
        high[active[moves]] = narrow[1][moves]
        active = active[moves & broken]
    return kinks, low[kinks], high[kinks]


def _is_curve(wide, narrow):
    """Returns whether the slopes at a step and at a quarter of it curve."""
    gap, closer_gap = wide[1] - wide[0], narrow[1] - narrow[0]
    shift = np.abs(np.add(*wide) - np.add(*narrow)) / 2
    return (np.abs(closer_gap / gap - 0.25) < 0.05) & (shift < 0.05 * gap)
