"""Which trials are trained as one program, and the training of these."""

import collections
import dataclasses

import keras
import keras_tuner
import numpy as np

from tfcourse.tuning import laying
from tfcourse.tuning.caviar_checkpoints import Checkpoints
from tfcourse.tuning.population import Population, initial_values, structure
from tfcourse.tuning.population.data import read
from tfcourse.tuning.population.member import build

# Each member computes the steps of all optimizers, and takes one.
_MOST_OPTIMIZERS = 4
# A part that is smaller than this share of the largest is traced anew, rather
# than filled up to its size.
_SMALLEST_FILLED = 0.25


@dataclasses.dataclass
class Candidate:
    """A trial that may be trained together with others.

    Attributes:
        trial: The `keras_tuner` trial.
        build: A function that builds its model.
        model: The draft of its model.
        arguments: What it would be fitted with, a dict.
    """

    trial: keras_tuner.engine.trial.Trial
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
        A list of lists of lists of `Candidate`s, the largest first.
    """
    groups = []
    for some in _by_structure(candidates):
        parts = _by(some, lambda candidate: _key(candidate.arguments))
        groups.append(sorted(parts.values(), key=len, reverse=True))
    return groups


def _by_structure(candidates):
    """Returns lists of the candidates that one program can train."""
    # Of what cannot be laid into anything, only the same goes together.
    outlines = _by(
        candidates,
        lambda c: laying.outline(c.model) or (structure(c.model), None),
    )
    alike = collections.defaultdict(list)
    for (outline, _), some in outlines.items():
        alike[outline].append(some)
    for kinds in alike.values():
        together = [candidate for some in kinds for candidate in some]
        if 1 < len(kinds) <= _MOST_OPTIMIZERS and all(
            laying.is_small(candidate.model) for candidate in together
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


class Program:
    """What trains all candidates of one structure.

    Args:
        candidates: The `Candidate`s.
        keep_best: Name and direction of the objective.
        seed: Seed of the order of examples.
        device: As for `Population`.

    Attributes:
        template: The one model that is built.
        checkpoints: What writes the weights of the candidates.
        report: What was done, as `Population.report`.
    """

    def __init__(self, candidates, keep_best, seed, device=None):
        self._keep_best = keep_best
        self._seed = seed
        self._device = device
        self._first = None
        self.report = {}
        first, drafts = candidates[0], [c.model for c in candidates]
        self._laid = len({structure(draft) for draft in drafts}) > 1
        self.checkpoints = Checkpoints(same_shapes=not self._laid)
        if self._laid:
            builds = [candidate.build for candidate in candidates]
            self._host = laying.Host(builds, drafts)
            self.template = self._host.model
        else:
            self.template = first.build()
            if not self.template.built:
                build(self.template, _head(first.arguments))
            if not self.template.optimizer.built:
                variables = self.template.trainable_variables
                self.template.optimizer.build(variables)

    def train(self, part, on_epoch_end=None):
        """Trains candidates that are fitted with the same arguments.

        The largest part must come first: what was traced for it serves the
        others. If that goes for its size only, they are filled up to it.

        Args:
            part: The `Candidate`s.
            on_epoch_end: As for `Population.fit`.

        Returns:
            The `Population` and its histories, one for each candidate.

        Raises:
            CannotVectorize: If the models cannot be trained as one program.
        """
        drafts = [candidate.model for candidate in part]
        crops = None
        if self._laid:
            columns, crops = self._host.initial_values(drafts)
        else:
            columns = initial_values(self.template, drafts)
        like = self._first
        if like and not like.any_size:
            if _SMALLEST_FILLED * len(like) <= len(part) <= len(like):
                missing = len(like) - len(part)
                columns = [_filled(column, missing) for column in columns]
                crops = crops and [*crops, *[crops[-1]] * missing]
            else:
                like = None
        population = Population.from_columns(
            self.template, columns, crops, device=self._device, like=like
        )
        histories = population.fit(
            **_for_members(part[0].arguments, len(population)),
            keep_best=self._keep_best,
            on_epoch_end=on_epoch_end,
            seed=self._seed,
        )
        self._first = self._first or population
        self.report = population.report
        return population, histories[: len(part)]


def _for_members(arguments, size):
    """Returns arguments for a population: members take turns at the folds."""
    if arguments["subsets"] is None:
        return arguments
    subsets = [np.resize(s, (size, s.shape[1])) for s in arguments["subsets"]]
    return arguments | {"subsets": subsets}


def _filled(column, missing):
    return np.concatenate([column, np.repeat(column[-1:], missing, axis=0)])


def _head(arguments):
    names = ("x", "y", "sample_weight", "class_weight", "batch_size")
    return read(*(arguments[name] for name in names))()[0].head()
