"""What a population is fitted to, and what it is validated on."""

import dataclasses
from typing import Any

import numpy as np

from tfcourse.tuning.population import batches as readers
from tfcourse.tuning.population.batches import Reader

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
    inside: Subset | None = None
    outside: Subset | None = None

    def training(self) -> Reader:
        """Returns what gives the `Batches` to train on."""
        return readers.read(
            self.x,
            self.y,
            self.sample_weight,
            self.class_weight,
            self.batch_size,
            self.inside,
        )

    def validation(self, at_least: int) -> Reader | None:
        """Returns what gives the `Batches` to evaluate on, or None.

        Args:
            at_least: As for `read_validation`.
        """
        return readers.read_validation(
            self.validation_data,
            self.validation_batch_size or self.batch_size,
            at_least,
            self.outside,
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
) -> FitData:
    """Returns the `FitData` of a population of so many members.

    The other arguments are those of `Population.fit`.

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
    )
    if subsets is not None:
        if validation_split or validation_data is not None:
            raise ValueError(
                "`subsets` of Population.fit say what to validate on. "
                "Leave `validation_data` and `validation_split` out."
            )
        return _with_subsets(data, subsets, members)
    if validation_split and validation_data is None:
        return _split(data, validation_split)
    return data


def _with_subsets(data: FitData, subsets: Any, members: int) -> FitData:
    inside, outside = readers.check_subsets(subsets, members, data.x)
    # Once, for training and for validation.
    x, y, weight = arrays = readers.on_device(
        (data.x, data.y, data.sample_weight)
    )
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
    (x, y, weight), held_out = readers.split(
        data.x, data.y, data.sample_weight, share
    )
    return dataclasses.replace(
        data,
        x=x,
        y=y,
        sample_weight=weight,
        validation_data=held_out,
    )
