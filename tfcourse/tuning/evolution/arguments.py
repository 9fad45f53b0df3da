"""The arguments of an `Evolution`: what they may be."""

import dataclasses
from typing import Any

from tfcourse.errors import InputError
from tfcourse.utils.validation import check_integer, check_number

_OWNER = "Evolution"
# Of `Caviar`, with what to do instead.
_REFUSED = {
    "max_trials": "`population` says how many members there are",
    "halving": "the worst members go on as the best instead",
    "early_stopping": "a member that is no better is replaced",
    "folds": "members are compared by validation data",
    "executor": "its members train in one process",
    "ahead": "its members train in one process",
    "smallest_group": "all members are one group",
    "executions_per_trial": "a member is trained once",
}


@dataclasses.dataclass(frozen=True)
class Rules:
    """How a population evolves.

    Attributes:
        interval: After every how many epochs.
        quantile: The share that is replaced, and that replaces.
        perturb: How far a nudge goes, as a share of the range.
        resample: The chance that a value is drawn anew instead.
    """

    interval: int
    quantile: float
    perturb: float
    resample: float

    def __post_init__(self) -> None:
        check_integer(self.interval, "interval", _OWNER)
        check_number(self.quantile, "quantile", _OWNER, "(0, 0.5]")
        check_number(self.perturb, "perturb", _OWNER, "[0, 0.5]")
        check_number(self.resample, "resample", _OWNER, "[0, 1]")


def check_arguments(population: Any, others: dict[str, Any]) -> None:
    """Raises for a population, or arguments of `Caviar`, that cannot be."""
    check_integer(population, "population", _OWNER, least=2)
    for name, why in _REFUSED.items():
        if name in others:
            raise InputError(
                f"Evolution takes no `{name}`: {why}. Leave it out."
            )


def check_fit(arguments: dict[str, Any]) -> None:
    """Raises an `InputError` for arguments of `fit` that cannot be."""
    early, late = arguments["callbacks"]
    if early or late or arguments["early_stopping"] is not None:
        raise InputError(
            "Evolution takes no `callbacks`: what one keeps of a member would "
            "not go along with its weights. Leave them out, and replay the "
            "winner's schedule with them."
        )
