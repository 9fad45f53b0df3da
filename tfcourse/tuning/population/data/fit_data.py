"""What a population is fitted to, and what it is validated on."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from tfcourse.data.adapters import Arrays, are_arrays, length_of
from tfcourse.tuning.population.data.batches import each, on_device
from tfcourse.tuning.population.data.readers import (
    GIVEN,
    Reader,
    read,
    read_validation,
)

# Indices of the examples of each member, shape `(K, n)`.
Subset = np.ndarray


@dataclasses.dataclass
class FitData:
    """The data of one call of `fit`.

    Attributes:
        x: The inputs to train on, or a dataset.
        y: The targets.
        sample_weight: One weight an example.
        class_weight: A dict from class to weight.
        batch_size: The size of a mini-batch.
        validation_data: As for `Population.fit`.
        validation_batch_size: The size of a mini-batch of the evaluation.
        rng: What draws orders, or None if data are gone through in theirs.
        steps_per_epoch: How many mini-batches an epoch has at most.
        validation_steps: How many an evaluation has at most.
        inside: Which of the examples each member trains on, or None.
        outside: Which of the examples each is evaluated on, or None.
    """

    x: Any
    y: Any
    sample_weight: Any
    class_weight: dict[int, float] | None
    batch_size: int | None
    validation_data: Any
    validation_batch_size: int | None
    rng: np.random.Generator | None = None
    steps_per_epoch: int | None = None
    validation_steps: int | None = None
    inside: Subset | None = None
    outside: Subset | None = None

    def training(self) -> Reader:
        """Returns what gives the `Batches` to train on."""
        return read(
            self.x,
            self.y,
            self.sample_weight,
            self.class_weight,
            self.batch_size,
            self.inside,
            self.rng,
            steps=self.steps_per_epoch,
        )

    def validation(self, at_least: int) -> Reader | None:
        """Returns what gives the `Batches` to evaluate on, or None.

        Args:
            at_least: As for `read_validation`.
        """
        return read_validation(
            self.validation_data,
            self.validation_batch_size or self.batch_size,
            at_least,
            self.outside,
            self.validation_steps,
        )


def fit_data(
    members: int,
    x: Any,
    y: Any = None,
    batch_size: int | None = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    class_weight: dict[int, float] | None = None,
    sample_weight: Any = None,
    validation_batch_size: int | None = None,
    subsets: Any = None,
    rng: np.random.Generator | None = None,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
) -> FitData:
    """Returns the `FitData` of a population of so many members.

    The other arguments are those of `Population.fit`, and `FitData.rng`.

    Raises:
        ValueError: If arguments do not go together.
    """
    data = FitData(
        x,
        y,
        sample_weight,
        class_weight,
        batch_size,
        validation_data,
        validation_batch_size,
        rng,
        steps_per_epoch,
        validation_steps,
    )
    if subsets is not None:
        if validation_split or validation_data is not None:
            raise ValueError(
                "`subsets` of Population.fit say what to validate on. Leave "
                "out `validation_data` and `validation_split`."
            )
        return _with_subsets(data, subsets, members)
    if validation_split and validation_data is None:
        return _split(data, validation_split)
    return data


def _with_subsets(data: FitData, subsets: Any, members: int) -> FitData:
    inside, outside = _check_subsets(subsets, members, data.x)
    # Once, for training and for validation.
    x, y, weight = arrays = on_device((data.x, data.y, data.sample_weight))
    return dataclasses.replace(
        data,
        x=x,
        y=y,
        sample_weight=weight,
        validation_data=arrays,
        inside=inside,
        outside=outside,
    )


def _split(data: FitData, share: float) -> FitData:
    (x, y, weight), held_out = _split_arrays(
        data.x, data.y, data.sample_weight, share
    )
    return dataclasses.replace(
        data,
        x=x,
        y=y,
        sample_weight=weight,
        validation_data=held_out,
    )


def _check_subsets(
    subsets: Iterable[Any], members: int, x: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the `subsets` of `Population.fit` as two arrays of indices.

    Raises:
        ValueError: If they are not two of one row a member, if an index is not
            that of an example, or if the examples are not in arrays.
    """
    if not are_arrays(x):
        raise ValueError(
            "`subsets` of Population.fit are for arrays. Received: "
            f"x={type(x).__name__}"
        )
    n = length_of(x, "`x`")
    train, held_out = (np.asarray(part) for part in subsets)
    for part in (train, held_out):
        if part.ndim != 2 or len(part) != members or not part.size:
            raise ValueError(
                "`subsets` of Population.fit must be two arrays with a row for "
                f"each of the {members} members. Received shapes: "
                f"{train.shape} and {held_out.shape}"
            )
        if part.dtype.kind not in "iu" or part.min() < 0 or part.max() >= n:
            raise ValueError(
                "`subsets` of Population.fit must hold indices of the "
                f"{n} examples. Received: {part.dtype} of {part.min()} to "
                f"{part.max()}"
            )
    return train.astype("int32"), held_out.astype("int32")


def _split_arrays(
    x: Any, y: Any, sample_weight: Any, share: float
) -> tuple[Arrays, Arrays]:
    """Returns training and validation arrays, the last `share` the latter."""
    arrays = each(np.asarray, (x, y, sample_weight))
    n = length_of(arrays, GIVEN)
    cut = int(n * (1 - share))
    if not 0 < cut < n:
        raise ValueError(
            f"`validation_split` must leave some of the {n} examples on each "
            f"side. Received: validation_split={share}"
        )
    return (
        each(lambda array: array[:cut], arrays),
        each(lambda array: array[cut:], arrays),
    )
