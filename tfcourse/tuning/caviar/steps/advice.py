"""What would put the trials of two groups into one program."""

import collections
from collections.abc import Iterable
from typing import Any

import keras
from keras import layers

from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.utils.keras_private import every_layer

# Layers that do nothing where a setting is 0, and what it is called.
_IDLE_AT_ZERO = {
    layers.AlphaDropout: "rate",
    layers.Dropout: "rate",
    layers.GaussianDropout: "rate",
    layers.GaussianNoise: "stddev",
    layers.SpatialDropout1D: "rate",
    layers.SpatialDropout2D: "rate",
    layers.SpatialDropout3D: "rate",
}
# Of more hyperparameters it is not plain which one matters.
_MOST_NAMED = 2

# The candidates of a group.
Some = list[Candidate]


def advice(here: Some, there: Some, groups: Iterable[Some]) -> str:
    """Returns what to change so that two groups were one, or `""`.

    Args:
        here: The candidates of a group.
        there: Those of another, which it is told apart from.
        groups: Those of all groups.
    """
    return _on_optional_layers(here, there) or _on_hyperparameters(
        here, there, groups
    )


def _on_optional_layers(here: Some, there: Some) -> str:
    """Advises to keep a layer that only some have, but idle."""
    own, other = (_kinds(some[0].model) for some in (here, there))
    absent = {kind: len(here) for kind in other - own}
    absent |= {kind: len(there) for kind in own - other}
    if not absent or not absent.keys() <= _IDLE_AT_ZERO.keys():
        return ""
    return "; ".join(
        f"{kind.__name__} is absent in {_trials(count)}: use "
        f"{_IDLE_AT_ZERO[kind]} 0"
        for kind, count in absent.items()
    )


def _on_hyperparameters(here: Some, there: Some, groups: Iterable[Some]) -> str:
    """Advises to draw a hyperparameter apart that no group has two values of.

    What takes several values in a group is not what keeps groups apart.
    """
    innocent = {
        name
        for some in groups
        for name, values in _values(some).items()
        if len(values) > 1
    }
    own, other = _values(here), _values(there)
    guilty = [
        name
        for name in own.keys() & other.keys() - innocent
        if own[name] != other[name]
    ]
    if not 0 < len(guilty) <= _MOST_NAMED:
        return ""
    return "; ".join(
        f"`{name}` is {_only(own[name])} here and {_only(other[name])} there: "
        "give it one value, or search each by itself"
        for name in sorted(guilty)
    )


def _kinds(model: keras.Model) -> collections.Counter[type]:
    return collections.Counter(map(type, every_layer(model, itself=False)))


def _values(some: Some) -> dict[str, set[Any]]:
    """Returns which values each hyperparameter has in some trials."""
    found = collections.defaultdict(set)
    for candidate in some:
        for name, value in candidate.trial.hyperparameters.values.items():
            found[name].add(value)
    return found


def _only(values: set[Any]) -> str:
    (value,) = values
    return f"{value:.3g}" if isinstance(value, float) else repr(value)


def _trials(count: int) -> str:
    return "one trial" if count == 1 else f"{count} trials"
