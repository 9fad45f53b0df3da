"""Scoring a trial by cross-validation."""

import keras
import keras_tuner
import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from tfcourse.errors import InputError
from tfcourse.tuning.sklearn import as_hypermodel


def fold_indices(y, folds, seed=0):
    """Returns which examples each fold trains on, and is evaluated on.

    Each fold has about the same share of each class. All folds have the same
    number of examples to train on, and to be evaluated on, so that they can be
    stacked: of larger ones a few are left out.

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


def _check_classes(classes, folds):
    names, counts = np.unique(classes, return_counts=True)
    if counts.min() < folds:
        raise InputError(
            f"Each class must have an example in each of the {folds} folds. "
            f"Class {names[counts.argmin()]} has {counts.min()}: give more "
            "examples, or ask for fewer folds."
        )


class CrossValidated(keras_tuner.HyperModel):
    """Scores each trial of a search by stratified k-fold cross-validation.

    A trial trains k models, each on all folds but one, and validates each on
    the fold left out. Its learning curve is the mean of theirs, so that its
    score is the best epoch's mean over the folds. The weights kept are those of
    the model with the best epoch.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        folds: How many, k, 2 or more.
        seed: Of the split, which is the same for all trials.

    Raises:
        ValueError: If `folds` is not an integer of 2 or more.
    """

    def __init__(self, hypermodel, folds, seed=0):
        super().__init__()
        if not isinstance(folds, int) or folds < 2:
            raise ValueError(
                "`folds` of a search must be an integer of 2 or more. "
                f"Received: folds={folds!r}"
            )
        self.hypermodel = as_hypermodel(hypermodel)
        self.folds = folds
        self.seed = seed

    def build(self, hp):
        return self.hypermodel.build(hp)

    def fit(self, hp, model, x, y, *, validation_data=None, **kwargs):
        """Trains the models of a trial; see `HyperModel.fit`.

        Raises:
            InputError: If validation data are given.
        """
        if validation_data is not None or kwargs.get("validation_split"):
            raise InputError(
                "Cross-validation takes its validation data from the folds. "
                "Leave `validation_data` out, or `folds`."
            )
        # Also the end for what only takes notes of one fit: there are several.
        if not model.compiled:
            raise InputError("The search space must compile its models.")
        curves = []
        indices = fold_indices(y, self.folds, self.seed)
        for train, dev in zip(*indices, strict=True):
            if curves:
                model = self.build(hp)
            history = self.hypermodel.fit(
                hp,
                model,
                _taken(x, train),
                _taken(y, train),
                validation_data=(_taken(x, dev), _taken(y, dev)),
                **kwargs,
            )
            curves.append(history.history)
        return _mean(curves, history.params)


def _taken(arrays, indices):
    return keras.tree.map_structure(lambda a: np.asarray(a)[indices], arrays)


def _mean(curves, params):
    """Returns the mean curves, as far as all of them go, as a `History`."""
    mean = keras.callbacks.History()
    mean.params = params
    epochs = min(len(next(iter(curve.values()))) for curve in curves)
    mean.epoch = list(range(epochs))
    mean.history = {
        name: np.mean([curve[name][:epochs] for curve in curves], 0).tolist()
        for name in curves[0]
    }
    return mean
