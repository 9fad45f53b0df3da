"""Testing an old choice of hyperparameters again, on new data."""

import contextlib
import dataclasses
import io
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np

from tfcourse.tuning.caviar.failures import AllTrialsFailedError
from tfcourse.tuning.replication.tuner import Replication
from tfcourse.tuning.results.search_results import Source, read_results
from tfcourse.tuning.results.trials import DEV_LOSSES
from tfcourse.tuning.retesting.comparison import Comparison, compared
from tfcourse.tuning.retesting.drift import Drift, drift
from tfcourse.tuning.retesting.points import Point, points_around, space_of
from tfcourse.tuning.search_space.hypermodel import as_hypermodel
from tfcourse.utils.validation import check_integer


@dataclasses.dataclass(frozen=True)
class Tried:
    """A point that was tried on the new data.

    Attributes:
        point: The `Point`.
        scores: Of each fold; empty if it failed.
        comparison: With the old choice; `None` of that one, and of failures.
    """

    point: Point
    scores: tuple[float, ...]
    comparison: Comparison | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns it as a dict that JSON can keep."""
        return {
            **dataclasses.asdict(self.point),
            "scores": list(self.scores),
            "mean": float(np.mean(self.scores)) if self.scores else None,
            **(self.comparison.to_json() if self.comparison else {}),
        }


@dataclasses.dataclass(frozen=True)
class Retest:
    """Whether the choice of an old search still holds.

    Attributes:
        objective: Name of the metric.
        direction: `"max"` or `"min"`.
        tried: A list of `Tried`, the old choice first.
        drifts: A list of `Drift`, one for each feature; `None` if there was
            nothing to compare with.
    """

    objective: str
    direction: str
    tried: list[Tried]
    drifts: list[Drift] | None = None

    @property
    def old(self) -> Tried:
        """The old choice."""
        return self.tried[0]

    @property
    def better(self) -> list[Tried]:
        """What is better than the old choice by more than luck, the best
        first. If the old choice has failed, all that did not.
        """
        if not self.old.scores:
            some = [one for one in self.tried if one.scores]
            sign = 1 if self.direction == "max" else -1
            return sorted(some, key=lambda one: -sign * np.mean(one.scores))
        some = [
            o for o in self.tried if o.comparison and o.comparison.is_better
        ]
        return sorted(some, key=lambda one: -one.comparison.gain)

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the old choice but luck."""
        return bool(self.old.scores) and not self.better

    @property
    def moved(self) -> dict[str, Any]:
        """Hyperparameters of which another value alone is better: name to it,
        that which gains most first.
        """
        found = {}
        for one in self.better:
            name = one.point.changed
            if name is not None and name in one.point.values:
                found.setdefault(name, one.point.values[name])
        return found

    @property
    def drifted(self) -> list[Drift]:
        """The features that have drifted."""
        return [one for one in self.drifts or [] if one.has_drifted]

    def to_json(self) -> dict[str, Any]:
        """Returns it as a dict that JSON can keep."""
        drifts = self.drifts
        return {
            "holds": self.holds,
            "objective": self.objective,
            "direction": self.direction,
            "moved": self.moved,
            "begin": self.better[0].point.values if self.better else None,
            "tried": [one.to_json() for one in self.tried],
            "drifts": drifts and [one.to_json() for one in drifts],
        }


def retest(
    source: Source,
    hypermodel: keras_tuner.HyperModel | Callable,
    x: Any,
    y: Any,
    *,
    seeds: int = 10,
    draws: int = 4,
    seed: int = 0,
    before: Mapping[str, np.ndarray] | None = None,
    after: Mapping[str, np.ndarray] | None = None,
    directory: str | os.PathLike | None = None,
    **fit_kwargs: Any,
) -> Retest:
    """Tests the choice of an old search again, on new data.

    Trained on the new data, as one program where that pays, are: the old best;
    its neighbours, each of which has one hyperparameter a tenth of its range
    away, on the scale of the space; a few points drawn at random; and the
    default of the space. Each is trained as often as there are `seeds`, each
    time with another seed and another part of the examples held out, the same
    for all points. Points are compared with the old best fold by fold, by
    intervals that hold for all of them at once.

    The old search is only read.

    Args:
        source: The old search: a tuner, the folder of a run, or a project.
        hypermodel: Its search space.
        x: New examples.
        y: Their targets.
        seeds: How many seeds and folds, 3 or more. More find smaller gains.
        draws: How many points to draw at random.
        seed: Of the draws, the folds and the initial weights.
        before: Old examples, values `(m,)` by the name of the feature, for
            `Retest.drifts`.
        after: The new ones, likewise; by default the columns of `x`.
        directory: Where to train; by default a temporary folder, which is
            deleted.
        **fit_kwargs: Passed to `model.fit`: `epochs`, `batch_size`, ...

    Returns:
        A `Retest`.

    Raises:
        InputError: If there is no search, none of its trials completed, or the
            best does not lie in the space.
        ValueError: If `seeds` is less than 5.

    Example:

    >>> import keras
    >>> import tempfile
    >>> from tfcourse import tuning
    >>> def build(hp):
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    ...     model.compile(keras.optimizers.SGD(rate), "mse")
    ...     return model
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> old = tuning.Caviar(build, "loss", 4, directory=tempfile.mkdtemp())
    >>> old.search(x, x @ [0.3, 0.0], epochs=2, verbose=0)
    >>> found = retest(old, build, x, x @ [0.3, 0.0], epochs=2, seeds=5)
    >>> found.old.point.values == tuning.best_points(old)[0]
    True
    """
    check_integer(seeds, "seeds", "retest", least=5)
    check_integer(draws, "draws", "retest", least=0)
    results = read_results(source)
    results.require_completed()
    objective = keras_tuner.Objective(results.objective, results.direction)
    space = space_of(as_hypermodel(hypermodel), objective)
    points = points_around(space, results.winner.hyperparameters, draws, seed)
    with contextlib.ExitStack() as stack:
        if directory is None:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
        # keras-tuner prints that it reloads.
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        tuner = Replication(
            hypermodel,
            [point.values for point in points],
            objective,
            1,
            seed=seed,
            folds=seeds,
            break_ties_by=DEV_LOSSES,
            directory=directory,
            project_name="retest",
        )
        # If all fail the old choice does not hold, and none is better.
        with contextlib.suppress(AllTrialsFailedError):
            tuner.search(x, y, **{"verbose": 0, **fit_kwargs})
        replicates = tuner.replicates()
    scores = {int(one.trial): one.scores for one in replicates}
    drifts = None
    if before is not None:
        drifts = drift(before, _columns(x) if after is None else after)
    return Retest(
        results.objective,
        results.direction,
        _compared(points, scores, results.direction),
        drifts,
    )


def _compared(
    points: Sequence[Point],
    scores: Mapping[int, tuple[float, ...]],
    direction: str,
) -> list[Tried]:
    """Compares each point with the first."""
    old = scores.get(0, ())
    tried = [Tried(points[0], old)]
    comparisons = sum(n in scores for n in range(1, len(points)))
    for n, point in enumerate(points[1:], start=1):
        own = scores.get(n, ())
        comparison = None
        if own and old:
            comparison = compared(own, old, direction, comparisons)
        tried.append(Tried(point, own, comparison))
    return tried


def _columns(x: Any) -> dict[str, np.ndarray]:
    """Returns the features of an array by number, or those of a dict."""
    if isinstance(x, Mapping):
        return {str(name): np.asarray(values) for name, values in x.items()}
    flat = np.asarray(x).reshape(len(x), -1)
    return {str(n): values for n, values in enumerate(flat.T)}
