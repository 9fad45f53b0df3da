"""Scoring a trial by cross-validation."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import keras_tuner
import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from tfcourse.errors import InputError
from tfcourse.tuning.search_space.hypermodel import as_hypermodel
from tfcourse.utils.validation import check_integer


def fold_indices(
    y: Any, folds: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Returns which examples each fold trains on, and is evaluated on.

    Each fold has about the same share of each class. All folds have the same
    number of examples to train on, and to be evaluated on, so that they can be
    stacked: a few examples of the larger ones are left out.

    Args:
        y: The targets, shape `(m,)` or `(m, 1)` for classes or numbers, or
            `(m, classes)` for rows of 0 and 1.
        folds: How many, k, 2 or more.
        seed: Of the split.

    Returns:
        Two arrays of indices: those to train on, shape `(k, n)`, and those to
        be evaluated on, shape `(k, m - n)` or a little less.

    Raises:
        InputError: If a class has fewer examples than there are folds.
    """
    classes = np.asarray(y)
    if classes.ndim > 1:
        last = classes.shape[-1]
        classes = classes.argmax(-1) if last > 1 else classes[:, 0]
    if np.issubdtype(classes.dtype, np.floating) and (classes % 1).any():
        split = KFold(folds, shuffle=True, random_state=seed)
    else:
        _check_classes(classes, folds)
        split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    parts = list(split.split(classes, classes))
    return tuple(
        np.stack([part[: min(map(len, side))] for part in side])
        for side in zip(*parts, strict=True)
    )


def _check_classes(classes: np.ndarray, folds: int) -> None:
    names, counts = np.unique(classes, return_counts=True)
    if counts.min() < folds:
        raise InputError(
            f"Each class must have an example in each of the {folds} folds. "
            f"Class {names[counts.argmin()]} has {counts.min()}: add "
            "examples, or ask for fewer folds."
        )


class CrossValidated(keras_tuner.HyperModel):
    """Scores each trial of a search by stratified k-fold cross-validation.

    A trial trains k models, each on all folds but one, and validates each on
    the fold left out. Its learning curve is the mean of theirs, so that its
    score is the best epoch's mean over the folds. The weights kept are those of
    the model with the best epoch. If one of the models diverges, the trial has
    failed, with that model's curve.

    `Caviar` trains the models of all folds, and of many trials, as one program,
    if the hypermodel's own `fit` does not change the data.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        folds: How many, k, 2 or more.
        seed: Of the split, which is the same for all trials.

    Attributes:
        seeds: What the model of each fold is seeded with, or None.

    Raises:
        TypeError: If `folds` is not a whole number.
        ValueError: If it is less than 2.
    """

    def __init__(
        self,
        hypermodel: keras_tuner.HyperModel | Callable,
        folds: int,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_integer(folds, "folds", "a search", least=2)
        self.hypermodel = as_hypermodel(hypermodel)
        self.folds = folds
        self.seed = seed
        self.seeds: list[int] | None = None
        self._y = self._indices = None

    def __getstate__(self) -> dict[str, Any]:
        # It is sent to workers without the targets, which are sent with the
        # data, and split there.
        return {**self.__dict__, "_y": None, "_indices": None}

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        return self.hypermodel.build(hp)

    def split(self, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Returns `fold_indices`, the same arrays for the same `y`."""
        if self._y is not y:
            self._y, self._indices = y, fold_indices(y, self.folds, self.seed)
        return self._indices

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        x: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        **kwargs,
    ) -> keras.callbacks.History:
        """Trains the models of a trial, one by one; see `HyperModel.fit`.

        Raises:
            InputError: If validation data are given.
        """
        _refuse_validation_data(kwargs)
        data = _data(x, y, sample_weight)
        histories = []
        for train, dev in zip(*self.split(y), strict=True):
            if histories:
                if self.seeds is not None:
                    keras.utils.set_random_seed(self.seeds[len(histories)])
                model = self.build(hp)
            fit = self.hypermodel.fit
            history = _fit(
                fit, hp, model, _taken(data, train), _taken(data, dev), kwargs
            )
            histories.append(history)
            if _has_diverged(history):
                break
        return mean_over_folds(histories)

    def fit_at_once(
        self,
        hp: keras_tuner.HyperParameters,
        model: Any,
        x: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        **kwargs,
    ) -> tuple[Any, tuple]:
        """Fits all examples, for a `model` that trains all folds by `split`.

        Returns:
            What the hypermodel's `fit` does, and the validation data it was
            given: all examples, too.

        Raises:
            InputError: If validation data are given.
        """
        _refuse_validation_data(kwargs)
        data = _data(x, y, sample_weight)
        return _fit(self.hypermodel.fit, hp, model, data, data, kwargs), data


def folds_of(hypermodel: Any) -> int:
    """Returns how many models score one execution of a trial."""
    return hypermodel.folds if isinstance(hypermodel, CrossValidated) else 1


def mean_over_folds(
    histories: Sequence[keras.callbacks.History],
) -> keras.callbacks.History:
    """Returns the mean curves, as far as all of them go, as a `History`.

    The history of a model that diverged stands for all. Of others the mean has
    the curves that it is of, for `curves_of_models`.
    """
    for history in histories:
        if len(histories) == 1 or _has_diverged(history):
            return history
    shortest = min(histories, key=lambda history: len(history.epoch))
    mean = keras.callbacks.History()
    mean.params, mean.epoch = shortest.params, shortest.epoch
    epochs = len(shortest.epoch)
    mean.history = {
        name: np.mean([h.history[name][:epochs] for h in histories], 0).tolist()
        for name in shortest.history
    }
    mean.of_folds = [history.history for history in histories]
    return mean


def curves_of_models(results: Sequence[Any]) -> list[dict[str, Any]]:
    """Returns the curves of each model that a trial trained.

    Args:
        results: What came of each execution, of which `mean_over_folds` has
            the models; anything that is no `History` counts for none.
    """
    return [
        curves
        for result in results
        for curves in getattr(
            result, "of_folds", [getattr(result, "history", {})]
        )
    ]


def _has_diverged(history):
    return not np.isfinite(history.history.get("loss", [0.0])[-1])


def _refuse_validation_data(kwargs):
    if kwargs.pop("validation_data", None) is not None or kwargs.get(
        "validation_split"
    ):
        raise InputError(
            "Cross-validation takes its validation data from the folds. Leave "
            "out `validation_data`, or `folds`."
        )


def _data(x, y, sample_weight):
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def _fit(fit, hp, model, data, validation_data, kwargs):
    x, y, *weight = data
    if weight:
        kwargs = {**kwargs, "sample_weight": weight[0]}
    return fit(hp, model, x, y, validation_data=validation_data, **kwargs)


def _taken(arrays, indices):
    return keras.tree.map_structure(lambda a: np.asarray(a)[indices], arrays)
