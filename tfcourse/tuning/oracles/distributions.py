"""Hyperparameters of keras-tuner as distributions of Optuna, and back."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tfcourse.tuning.search_space import regions

if TYPE_CHECKING:
    import optuna


@dataclasses.dataclass(frozen=True)
class OptunaScale:
    """How a hyperparameter goes to Optuna and comes back.

    Attributes:
        distribution: An `optuna.distributions.BaseDistribution`.
        encode: A function from its value to Optuna's.
        decode: The inverse.
    """

    distribution: Any
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def optuna_scale(parameter: Any) -> OptunaScale | None:
    """Returns a `OptunaScale`, or `None` for what is fixed."""
    from optuna import distributions

    every = regions.categories(parameter)
    if type(parameter).__name__ == "Fixed":
        return None
    if every is not None and not getattr(parameter, "ordered", False):
        return OptunaScale(
            distributions.CategoricalDistribution(every),
            lambda value: regions.nearest(parameter, value),
            lambda value: value,
        )
    if every is None and parameter.step is None:
        return _range(parameter, distributions)
    every = every or regions.every_value(parameter)
    return OptunaScale(
        distributions.IntDistribution(0, len(every) - 1),
        lambda value: every.index(regions.nearest(parameter, value)),
        lambda index: every[index],
    )


def suggest(trial: "optuna.Trial", name: str, distribution: Any) -> Any:
    """Returns what an Optuna trial suggests from a distribution."""
    if hasattr(distribution, "choices"):
        return trial.suggest_categorical(name, distribution.choices)
    whole = type(distribution).__name__ == "IntDistribution"
    draw = trial.suggest_int if whole else trial.suggest_float
    return draw(name, distribution.low, distribution.high, log=distribution.log)


def _range(parameter: Any, distributions: Any) -> OptunaScale:
    """Returns the scale of what has no steps."""
    whole = type(parameter).__name__ == "Int"
    if parameter.sampling == "reverse_log":
        return OptunaScale(
            distributions.FloatDistribution(0.0, 1.0),
            lambda value: regions.position(parameter, value),
            lambda position: regions.value_at(parameter, position),
        )
    kind = "IntDistribution" if whole else "FloatDistribution"
    distribution = getattr(distributions, kind)(
        parameter.min_value,
        parameter.max_value,
        log=parameter.sampling == "log",
    )
    return OptunaScale(
        distribution,
        lambda value: regions.nearest(parameter, value),
        int if whole else float,
    )
