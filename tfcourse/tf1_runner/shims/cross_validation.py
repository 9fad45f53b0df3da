"""`sklearn.cross_validation`: splits that were told the data's number."""

import numpy as np
from sklearn import model_selection

from tfcourse.tf1_runner.imports.symbol_names import names_from

__getattr__ = names_from("sklearn.cross_validation", "sklearn.model_selection")


class _Splits:
    """Pairs of the places for training and for testing, to go through."""

    def __init__(self, splitter, n, y=None):
        self._splitter, self._x, self._y = splitter, np.zeros(n), y

    def __iter__(self):
        return self._splitter.split(self._x, self._y)

    def __len__(self):
        return self._splitter.get_n_splits(self._x, self._y)

    def split(self, x, y=None, groups=None):
        return self._splitter.split(x, y)

    def get_n_splits(self, *args, **kwargs):
        return len(self)


def _seed(shuffle, random_state):
    return random_state if shuffle else None


def KFold(n, n_folds=3, shuffle=False, random_state=None):  # noqa: N802
    seed = _seed(shuffle, random_state)
    folds = model_selection.KFold(n_folds, shuffle=shuffle, random_state=seed)
    return _Splits(folds, n)


def StratifiedKFold(  # noqa: N802
    y, n_folds=3, shuffle=False, random_state=None
):
    seed = _seed(shuffle, random_state)
    folds = model_selection.StratifiedKFold(
        n_folds, shuffle=shuffle, random_state=seed
    )
    return _Splits(folds, len(y), y)


def ShuffleSplit(  # noqa: N802
    n, n_iter=10, test_size=0.1, train_size=None, random_state=None
):
    sizes = {"test_size": test_size, "train_size": train_size}
    splits = model_selection.ShuffleSplit(
        n_iter, **sizes, random_state=random_state
    )
    return _Splits(splits, n)


def StratifiedShuffleSplit(  # noqa: N802
    y, n_iter=10, test_size=0.1, train_size=None, random_state=None
):
    sizes = {"test_size": test_size, "train_size": train_size}
    splits = model_selection.StratifiedShuffleSplit(
        n_iter, **sizes, random_state=random_state
    )
    return _Splits(splits, len(y), y)


def LeaveOneOut(n):  # noqa: N802
    return _Splits(model_selection.LeaveOneOut(), n)
