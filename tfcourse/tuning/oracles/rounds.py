"""The rounds of a coarse-to-fine search."""

import dataclasses
import math
from typing import Any

from tfcourse.tuning.search_space import regions
from tfcourse.tuning.search_space.regions import Region
from tfcourse.utils.shapes import SCALAR, check_shape

_REGION = {
    "axis": str,
    "when": {str: [SCALAR]},
    "values?": [SCALAR],
    "low?": float,
    "high?": float,
    "positions?": [float, float],
}
_SHAPE = {"first": int, "size": (int, None), "regions": [_REGION]}


@dataclasses.dataclass
class Round:
    """A round that has begun.

    Attributes:
        first: Number of its first trial.
        size: How many trials it has, or `None` for all that come.
        described: Its regions as they are written.
    """

    first: int
    size: int | None
    described: list[dict[str, Any]]

    def __post_init__(self) -> None:
        self._regions = dict(map(Region.from_description, self.described))

    @classmethod
    def from_description(cls, description: dict[str, Any]) -> "Round":
        """Returns the round that `oracle.json` has this of.

        Raises:
            ValueError: If it has something else.
        """
        check_shape(description, _SHAPE)
        names = ("first", "size", "regions")
        return cls(*(description[name] for name in names))

    @property
    def end(self) -> float:
        """The number after that of its last trial."""
        return math.inf if self.size is None else self.first + self.size

    def __contains__(self, number: int) -> bool:
        return self.first <= number < self.end

    def region_of(self, parameter: Any) -> Region:
        """Returns the region of a hyperparameter.

        It is the whole range if nobody knew of it when the round began.
        """
        known = self._regions.get(regions.key(parameter))
        return known or Region.whole(parameter)
