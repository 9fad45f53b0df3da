"""The hyperparameters of a search, each with the scale it was drawn on."""

import dataclasses
import pathlib
from typing import Any

from tfcourse.tuning.results.manifest import readable_or_input_error
from tfcourse.tuning.search_space.scales import scale_of, to_display
from tfcourse.utils.atomic_files import read_json
from tfcourse.utils.shapes import SCALAR

_CONDITIONS = [{"config": {"name": str, "values": [SCALAR]}}]
_RANGE = {
    "name": str,
    "conditions?": _CONDITIONS,
    "min_value": float,
    "max_value": float,
    "step?": (float, None),
    "sampling?": (str, None),
}
_CATEGORY = {
    "name": str,
    "conditions?": _CONDITIONS,
    "values?": [SCALAR],
    "value?": SCALAR,
}
_SPACE = {
    "hyperparameters": {
        "space": [{"class_name": str, "config": (_RANGE, _CATEGORY)}]
    }
}


@dataclasses.dataclass(frozen=True)
class HyperparameterAxis:
    """A hyperparameter: how it was drawn, and so how to show it.

    Attributes:
        name: As a person reads it.
        kind: `"linear"`, `"log"`, `"one_minus_log"` or `"category"`.
        values: The categories, in order; else `None`.
        low: Lower bound of a number, as a person reads it; else `None`.
        high: Upper bound, likewise.
        step: Between the values of a linear scale, or `None`.
        integer: Whether its values are integers.
        when: Name of a parent to the values of it for which this one is there.
        registered: The name under which keras-tuner has it.
    """

    name: str
    kind: str
    values: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    integer: bool = False
    when: dict[str, list[Any]] = dataclasses.field(default_factory=dict)
    registered: str = ""

    @property
    def varies(self) -> bool:
        """Whether there is more than one value to choose from."""
        if self.kind == "category":
            return len(self.values or ()) > 1
        return self.low != self.high


def read_axes(project: str | pathlib.Path) -> list[HyperparameterAxis]:
    """Returns a `HyperparameterAxis` for each hyperparameter of a project.

    A name that is registered under several conditions gives one axis, which
    holds the values of all.

    Raises:
        InputError: If its `oracle.json` cannot be understood.
    """
    path = pathlib.Path(project) / "oracle.json"
    with readable_or_input_error(path):
        axes = {}
        for entry in read_json(path, _SPACE)["hyperparameters"]["space"]:
            axis = _axis(entry)
            axes[axis.name] = _union(axes.get(axis.name, axis), axis)
        return list(axes.values())


def _axis(entry: dict[str, Any]) -> HyperparameterAxis:
    """Returns the axis of an entry in `oracle.json`."""
    config = entry["config"]
    registered = config["name"]
    common = {
        "name": to_display(registered, 0)[0],
        "registered": registered,
        "when": {
            condition["config"]["name"]: list(condition["config"]["values"])
            for condition in config.get("conditions", ())
        },
    }
    if entry["class_name"] in ("Choice", "Boolean", "Fixed"):
        values = config.get("values", [config.get("value")])
        if entry["class_name"] == "Boolean":
            values = [False, True]
        return HyperparameterAxis(
            kind="category", values=tuple(values), **common
        )
    bounds = [config["min_value"], config["max_value"]]
    return HyperparameterAxis(
        kind=scale_of(registered, config.get("sampling")),
        low=min(to_display(registered, bound)[1] for bound in bounds),
        high=max(to_display(registered, bound)[1] for bound in bounds),
        step=config.get("step"),
        integer=entry["class_name"] == "Int",
        **common,
    )


def _union(
    one: HyperparameterAxis, other: HyperparameterAxis
) -> HyperparameterAxis:
    """Returns the axis of one name that is registered twice."""
    if one.kind != other.kind:
        return one
    when = {
        parent: list(dict.fromkeys([*one.when[parent], *other.when[parent]]))
        for parent in one.when
        if parent in other.when
    }
    if one.kind == "category":
        values = tuple(dict.fromkeys([*one.values, *other.values]))
        return dataclasses.replace(one, values=values, when=when)
    return dataclasses.replace(
        one,
        low=min(one.low, other.low),
        high=max(one.high, other.high),
        step=one.step if one == other else None,
        integer=one.integer and other.integer,
        when=when,
    )
