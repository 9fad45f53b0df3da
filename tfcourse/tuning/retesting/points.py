"""What the old choice is compared with: neighbours, draws, the default."""

import dataclasses
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

import keras_tuner
import numpy as np

from tfcourse.errors import InputError
from tfcourse.tuning.evolution.exploration import nudged
from tfcourse.tuning.search_space import regions
from tfcourse.tuning.search_space.regions import Parameter, Region
from tfcourse.tuning.search_space.scales import to_display

# How far neighbours are, as a share of the range.
_STEP = 0.1
# Of a choice without an order so many others are tried.
_MOST_OTHERS = 2


@dataclasses.dataclass(frozen=True)
class Point:
    """A point of a search space that is tried.

    Attributes:
        role: `"old"`, `"neighbour"`, `"draw"` or `"default"`.
        values: Its hyperparameters, as a person reads them.
        changed: Of a neighbour the hyperparameter that is another.
    """

    role: str
    values: dict[str, Any]
    changed: str | None = None


def space_of(
    hypermodel: keras_tuner.HyperModel, objective: keras_tuner.Objective
) -> list[Parameter]:
    """Returns the hyperparameters of a search space, of all its branches."""
    oracle = keras_tuner.Oracle(objective=objective)
    with tempfile.TemporaryDirectory() as folder:
        # keras-tuner builds a model for each branch to know them.
        keras_tuner.Tuner(oracle, hypermodel, directory=folder)
    return oracle.get_space().space


def points_around(
    space: Iterable[Parameter],
    old: Mapping[str, Any],
    draws: int,
    seed: int,
) -> list[Point]:
    """Returns the points to try, the old choice first, none of them twice.

    Args:
        space: What `space_of` returned.
        old: The hyperparameters of the old choice, as a person reads them.
        draws: How many points to draw at random.
        seed: Of the draws.

    Raises:
        InputError: If the old choice does not lie in the search space.
    """
    space = list(space)

    def of_old(parameter: Parameter) -> Any:
        name, _ = to_display(parameter.name, 0)
        if name not in old:
            return parameter.default
        try:
            _, value = to_display(parameter.name, old[name])
            return regions.nearest(parameter, value)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{name!r} of the old choice {error} in this search space. "
                f"Received: {name}={old[name]!r}. Give the space of the old "
                "search."
            ) from None

    values = regions.fill(space, of_old)
    found = [("old", values, None)]
    for parameter in space:
        if regions.is_active(parameter, values):
            for value in _neighbours(parameter, values[parameter.name]):
                found.append(
                    (
                        "neighbour",
                        _with(space, parameter, value, of_old),
                        to_display(parameter.name, 0)[0],
                    )
                )
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        drawn = regions.fill(
            space, lambda p: Region.whole(p).draw(p, float(rng.uniform()))
        )
        found.append(("draw", drawn, None))
    found.append(("default", regions.fill(space, lambda p: p.default), None))
    return _once(found)


def _with(space, changed, value, of_old):
    """Returns the old values with another one of a hyperparameter."""
    return regions.fill(
        space,
        lambda p: value if p.name == changed.name else of_old(p),
    )


def _neighbours(parameter, value):
    every = regions.categories(parameter)
    if every is not None and not getattr(parameter, "ordered", False):
        return [other for other in every if other != value][:_MOST_OTHERS]
    around = [nudged(parameter, value, by) for by in (-_STEP, _STEP)]
    return [other for other in around if other != value]


def _once(found):
    """Returns the points, those left out that are another one again."""
    points = []
    for role, values, changed in found:
        shown = dict(to_display(*item) for item in values.items())
        if shown not in [point.values for point in points]:
            points.append(Point(role, shown, changed))
    return points
