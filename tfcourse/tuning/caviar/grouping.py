"""Which trials are trained as one program."""

import collections
import dataclasses

import keras

from tfcourse.tuning import supernet
from tfcourse.tuning._keras_tuner import Trial
from tfcourse.tuning.population import structure
from tfcourse.tuning.population.structure import first_difference

# Each member computes the steps of all optimizers, and takes one.
_MOST_OPTIMIZERS = 4


@dataclasses.dataclass
class Candidate:
    """A trial that may be trained together with others.

    Attributes:
        trial: The `keras_tuner` trial.
        build: A function that builds its model.
        model: The draft of its model.
        arguments: What it would be fitted with, a dict.
    """

    trial: Trial
    build: collections.abc.Callable
    model: keras.Model
    arguments: dict

    @property
    def folds(self):
        """How many models like it score one execution of the trial."""
        subsets = self.arguments["subsets"]
        return 1 if subsets is None else len(subsets[0])


def grouped(candidates):
    """Returns the candidates by structure, and there by arguments of `fit`.

    Returns:
        A list of lists of lists of `Candidate`s, the largest first. In the
        innermost, shallow networks come before deep ones: a block that no
        neighbour has costs nothing.
    """
    groups = []
    for some in _by_structure(candidates):
        some = sorted(some, key=lambda c: len(c.model.layers))
        parts = _by(some, lambda candidate: _key(candidate.arguments))
        groups.append(sorted(parts.values(), key=len, reverse=True))
    return groups


def told_apart(groups):
    """Returns groups, each with why it is not a part of the first, or ""."""
    if not groups:
        return []
    first = groups[0][0][0]

    def why(parts):
        difference = first_difference(first.model, parts[0][0].model)
        if not difference:
            return ""
        return f"not with trial {first.trial.trial_id}: {difference}"

    return [(parts, why(parts)) for parts in groups]


def _by_structure(candidates):
    """Returns lists of the candidates that one program can train."""
    # Of what cannot be embedded, only the same goes together.
    families = _by(
        candidates,
        lambda c: supernet.family(c.model) or (structure(c.model), None),
    )
    alike = collections.defaultdict(list)
    for (shared, _), some in families.items():
        alike[shared].append(some)
    for kinds in alike.values():
        together = [candidate for some in kinds for candidate in some]
        if 1 < len(kinds) <= _MOST_OPTIMIZERS and all(
            supernet.is_small(candidate.model) for candidate in together
        ):
            yield together
        else:
            yield from kinds


def _by(candidates, key):
    groups = collections.defaultdict(list)
    for candidate in candidates:
        groups[key(candidate)].append(candidate)
    return groups


def _key(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return type(value).__name__, value
    if isinstance(value, (list, tuple)):
        return type(value).__name__, *map(_key, value)
    if isinstance(value, keras.callbacks.Callback):
        return type(value).__name__, _key(vars(value))
    if isinstance(value, dict):
        return tuple((str(k), _key(v)) for k, v in value.items())
    return "object", id(value)
