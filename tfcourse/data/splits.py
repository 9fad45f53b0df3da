"""Training, development and test set, in the course's proportions."""

import dataclasses

import numpy as np
import numpy.typing as npt

from tfcourse.data.dataset import Dataset
from tfcourse.data.table.dataset import TableDataset
from tfcourse.errors import InputError
from tfcourse.utils.validation import check_integer

# From here on a fixed number tells classifiers apart as well as a fixed share.
_BIG = 100_000
_ENOUGH = 10_000
# Two for each set, to have a spread.
_FEWEST = 6


def split_sizes(m: int) -> tuple[int, int, int]:
    r"""Returns the sizes of training, development and test set.

    Below a hundred thousand examples 60, 20 and 20 percent; from there on ten
    thousand each for development and test. That is the lecture's 98/1/1 at a
    million examples and its 99.5/0.25/0.25 at four million.

    Args:
        m: $m$, the number of examples, at least 3.

    Returns:
        Three positive integers that add up to `m`.

    Raises:
        TypeError: If `m` is not a whole number.
        ValueError: If `m` is below 3.

    Example:

    >>> split_sizes(1000)
    (600, 200, 200)
    >>> split_sizes(1_000_000)
    (980000, 10000, 10000)

    Reference:
        Ng, Improving Deep Neural Networks, week 1, Train / Dev / Test sets.
    """
    check_integer(m, "m", "split_sizes", least=3)
    held_out = max(1, round(0.2 * m)) if m < _BIG else _ENOUGH
    return m - 2 * held_out, held_out, held_out


@dataclasses.dataclass(frozen=True)
class Split:
    """Positions of the examples of each set, disjoint, in random order."""

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray


def split(y: npt.ArrayLike | Dataset | TableDataset, seed: int = 0) -> Split:
    """Splits examples at random so that each set has each class's share.

    Args:
        y: The class of each example, shape `(m,)`, or a data set. Amounts to
            predict have no classes: each example is drawn alike. A table with
            a `Partition` is split by it.
        seed: Seed of the shuffle, a whole number from 0 on: the same seed gives
            the same split.

    Returns:
        A `Split` with the sizes of `split_sizes(m)`; where a set would be
        smaller than the number of classes, one example of each class.

    Raises:
        TypeError: If `seed` is not a whole number.
        ValueError: If `seed` is negative, or `y` is not of shape `(m,)`.
        InputError: If a class has fewer than three examples.
    """
    check_integer(seed, "seed", "split", least=0)
    if isinstance(y, TableDataset):
        if y.partition is not None:
            return _by_column(y, seed)
        if y.task == "regression":
            return _of_amounts(y, seed)
    y = np.asarray(y.y if isinstance(y, Dataset | TableDataset) else y)
    if y.ndim != 1 or len(y) == 0:
        raise ValueError(
            "`y` must hold one class for each example, shape `(m,)`. "
            f"Received: y of shape {y.shape}"
        )
    classes, counts = np.unique(y, return_counts=True)
    if counts.min() < 3:
        raise InputError(
            f"Class {classes.tolist()[int(counts.argmin())]!r} has "
            f"{counts.min()} examples; a stratified split into three needs at "
            "least three of each class."
        )
    return _in_three(y, max(split_sizes(len(y))[1], len(classes)), seed)


def held_out(dataset: TableDataset, seed: int) -> np.ndarray:
    """Returns positions of a fifth of the examples, drawn as `split` does.

    Args:
        dataset: A table.
        seed: Of the draw.

    Raises:
        InputError: If the examples are too few.
    """
    return split(dataset, seed).dev


def _of_amounts(dataset, seed):
    _check_enough(dataset)
    m = len(dataset)
    return _in_three(np.zeros(m), split_sizes(m)[1], seed)


def _by_column(dataset, seed):
    _check_enough(dataset)
    held_out = split_sizes(len(dataset))[1]
    found = Split(*dataset.partition.positions(held_out, seed))
    known = set(dataset.y[found.train].tolist())
    for i, label in enumerate(dataset.labels):
        if i not in known:
            raise InputError(
                f"When split by column {dataset.partition.name!r}, no "
                f"training row has the class {label!r}. Choose another column "
                f"for --{dataset.partition.how}, or leave the class out."
            )
    return found


def _check_enough(dataset):
    m = len(dataset)
    if m < _FEWEST:
        raise InputError(
            f"Data set {dataset.name!r} has {m} examples; training, "
            f"development and test set need {_FEWEST} together. Add examples."
        )


def _in_three(y, held_out, seed):
    """Returns a split with each class's share in each set."""
    from sklearn.model_selection import train_test_split

    def hold_out(positions):
        return train_test_split(
            positions,
            test_size=held_out,
            stratify=y[positions],
            random_state=seed,
        )

    rest, test = hold_out(np.arange(len(y)))
    train, dev = hold_out(rest)
    return Split(train, dev, test)
